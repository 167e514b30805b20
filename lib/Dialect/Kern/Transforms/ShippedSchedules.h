//===- ShippedSchedules.h - text of the databases in Tuned --------------------------------------------------------===//

#ifndef WINNOW_LIB_DIALECT_KERN_TRANSFORMS_SHIPPEDSCHEDULES_H
#define WINNOW_LIB_DIALECT_KERN_TRANSFORMS_SHIPPEDSCHEDULES_H

namespace winnow::kern {

struct ShippedFile {
  const char *name; ///< "sm_90a.json"
  const char *text;
};
extern const ShippedFile kShippedFiles[];
extern const unsigned kShippedFileCount;

} // namespace winnow::kern

#endif // WINNOW_LIB_DIALECT_KERN_TRANSFORMS_SHIPPEDSCHEDULES_H
