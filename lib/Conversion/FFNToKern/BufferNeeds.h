//===- BufferNeeds.h - which layouts the readers of each value need -----------------------------------------------===//

#ifndef WINNOW_LIB_CONVERSION_FFNTOKERN_BUFFERNEEDS_H
#define WINNOW_LIB_CONVERSION_FFNTOKERN_BUFFERNEEDS_H

#include "KernelForm.h"

#include "winnow/Dialect/Kern/Transforms/TunedSchedules.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/DenseMap.h"

namespace winnow {

/// Forms in which a value between kernels is read.
struct BufferNeeds {
  bool rowMajor = false;
  bool transposed = false;
  int64_t panel = 0; ///< of a compressed value; 0: nothing reads it

  bool any() const { return rowMajor || transposed || panel != 0; }
};

/// One ffn.kernel with what was decided about it.
struct PlannedKernel {
  ffn::KernelForm form;
  int64_t stage = 0;           ///< its number in the function
  kern::GemmSchedule schedule; ///< of a product: what it is expected to get
  bool splitSelection = false; ///< product: selection and compression go to a map kernel of their own
};

/// What decides the schedules that layouts are made for.
struct ScheduleContext {
  int64_t expectedTokens = kern::kNominalTokens;
  std::string chip; ///< name in ChipTable.h
  kern::Tuning tuning;
};

struct FunctionPlan {
  llvm::SmallVector<PlannedKernel, 4> kernels;
  llvm::DenseMap<mlir::Value, BufferNeeds> needs;
};

/// Reads every kernel of `function` and decides layouts from the last reader to the first. Emits errors.
mlir::FailureOr<FunctionPlan> planFunction(mlir::func::FuncOp function, const ScheduleContext &context);

} // namespace winnow

#endif // WINNOW_LIB_CONVERSION_FFNTOKERN_BUFFERNEEDS_H
