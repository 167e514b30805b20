//===- Executable.cpp - running artifacts from Python -------------------------------------------------------------===//

#include "Exchange.h"
#include "Support.h"

#include <algorithm>

namespace nb = nanobind;
using namespace nb::literals;
using namespace winnow::python;

namespace {

using nb::dlpack::dltensor;

/// An argument as DLPack describes it.
struct ExpectedTensor {
  nb::dlpack::dtype type;
  std::vector<int64_t> shape; ///< -1 is the token count
};

constexpr int64_t kArgumentAlignment = 16, kWorkspaceAlignment = 256;

/// A call with its arguments, as a CUDA graph. The memory behind the addresses is the caller's.
class RecordedCall {
public:
  explicit RecordedCall(winnow_recorded_call *call) : call(call) {}

  void launch(uint64_t stream) const {
    checkUnlocked([&] { return winnow_recorded_call_launch(call.get(), reinterpret_cast<void *>(stream)); });
  }

private:
  struct Destroy {
    void operator()(winnow_recorded_call *call) const { winnow_recorded_call_destroy(call); }
  };
  std::unique_ptr<winnow_recorded_call, Destroy> call;
};

class Executable {
public:
  /// memoryKind: DLDeviceType of the memory that `call` takes.
  Executable(nb::bytes artifact, int device, int memoryKind) : device(device), memoryKind(memoryKind) {
    winnow_executable *loaded = nullptr;
    checkUnlocked([&] { return winnow_executable_load_bytes(artifact.c_str(), artifact.size(), device, &loaded); });
    executable.reset(loaded);
    inputs = winnow_executable_input_count(loaded);
    size_t count = inputs + winnow_executable_output_count(loaded);
    for (size_t i = 0; i < count; ++i) {
      winnow_argument argument;
      check(winnow_executable_argument(loaded, i, &argument));
      expected.push_back({dlpackType(argument.element), {argument.shape, argument.shape + argument.rank}});
    }
  }

  std::vector<Argument> arguments(bool outputs) const {
    size_t inputs = winnow_executable_input_count(executable.get());
    size_t begin = outputs ? inputs : 0;
    size_t end = outputs ? inputs + winnow_executable_output_count(executable.get()) : inputs;
    std::vector<Argument> result;
    for (size_t i = begin; i < end; ++i) {
      winnow_argument argument;
      check(winnow_executable_argument(executable.get(), i, &argument));
      result.push_back(toArgument(argument));
    }
    return result;
  }

  int64_t workspaceBytes(int64_t tokens) const {
    int64_t bytes;
    check(winnow_executable_workspace_bytes(executable.get(), tokens, &bytes));
    return bytes;
  }

  void execute(uint64_t stream, int64_t tokens, const std::vector<uint64_t> &addresses, uint64_t workspace,
               int64_t workspaceBytes) const {
    checkUnlocked([&] {
      return winnow_executable_execute(executable.get(), reinterpret_cast<void *>(stream), tokens, addresses.data(),
                                       addresses.size(), workspace, workspaceBytes);
    });
  }

  void executeLaunch(size_t index, uint64_t stream, int64_t tokens, const std::vector<uint64_t> &addresses,
                     uint64_t workspace, int64_t workspaceBytes) const {
    checkUnlocked([&] {
      return winnow_executable_execute_launch(executable.get(), index, reinterpret_cast<void *>(stream), tokens,
                                              addresses.data(), addresses.size(), workspace, workspaceBytes);
    });
  }

  RecordedCall record(int64_t tokens, const std::vector<uint64_t> &addresses, uint64_t workspace,
                      int64_t workspaceBytes) const {
    winnow_recorded_call *recorded = nullptr;
    checkUnlocked([&] {
      return winnow_executable_record(executable.get(), tokens, addresses.data(), addresses.size(), workspace,
                                      workspaceBytes, &recorded);
    });
    return RecordedCall(recorded);
  }

  std::vector<TokenRange> ranges() const {
    const winnow_executable *owner = executable.get();
    return rangesOf(owner, winnow_executable_range_count(owner), winnow_executable_range);
  }

  /// The kernel of each launch of a call, nothing where it is none.
  std::vector<std::optional<std::string>> launches(int64_t tokens) const {
    std::vector<std::optional<std::string>> names;
    for (size_t i = 0; i < winnow_executable_launch_count_at(executable.get(), tokens); ++i) {
      const char *name = winnow_executable_launch_name_at(executable.get(), tokens, i);
      names.push_back(name ? std::optional<std::string>(name) : std::nullopt);
    }
    return names;
  }

  /// A call with arrays whose framework describes them through C functions, at a fraction of what looking at them from
  /// Python takes. Returns the result or results; or None, with nothing enqueued, where something is unusual or wrong.
  nb::object call(nb::tuple arrays, nb::object out, uint64_t stream, nb::object workspaceArray, uint64_t workspace,
                  int64_t workspaceBytes) {
    if (arrays.size() != inputs || inputs == 0)
      return nb::none();
    int64_t tokens = 0;
    std::vector<uint64_t> addresses;
    addresses.reserve(expected.size());
    for (size_t i = 0; i < inputs; ++i)
      if (!take(arrays[i], i, tokens, addresses))
        return nb::none();
    tokens = std::max<int64_t>(tokens, 1);
    int64_t needed;
    check(winnow_executable_workspace_bytes(executable.get(), tokens, &needed));
    if (!workspaceArray.is_none()) {
      const Frameworks::Framework &framework = frameworks.of(workspaceArray);
      std::optional<dltensor> view = viewOf(framework, workspaceArray);
      if (!view || !isHere(*view) || !isRowMajor(*view))
        return nb::none();
      workspace = addressOf(*view);
      workspaceBytes = bytesOf(*view);
    }
    if (workspaceBytes < needed || workspace % kWorkspaceAlignment != 0)
      return nb::none();

    size_t outputs = expected.size() - inputs;
    nb::object result = out;
    if (out.is_none()) {
      result = allocateResults(frameworks.of(arrays[0]), stream, tokens, addresses);
      if (!result.is_valid())
        return nb::none();
    } else if (nb::isinstance<nb::tuple>(out) || nb::isinstance<nb::list>(out)) {
      nb::object sequence = nb::steal(PySequence_Fast(out.ptr(), ""));
      if (!sequence.is_valid() || PySequence_Fast_GET_SIZE(sequence.ptr()) != static_cast<Py_ssize_t>(outputs))
        return nb::none();
      for (size_t i = 0; i < outputs; ++i)
        if (!take(PySequence_Fast_GET_ITEM(sequence.ptr(), i), inputs + i, tokens, addresses))
          return nb::none();
      result = outputs == 1 ? nb::borrow(PySequence_Fast_GET_ITEM(sequence.ptr(), 0))
                            : nb::steal(PySequence_Tuple(sequence.ptr()));
    } else if (outputs != 1 || !take(out, inputs, tokens, addresses)) {
      return nb::none();
    }
    execute(stream, tokens, addresses, workspace, workspaceBytes);
    return result;
  }

  /// The same for a function of a matrix with a row per token and of weights, with one such result. Both may have any
  /// number of leading axes. `others`: the other inputs, or where they lie, which the caller then vouches for.
  /// Gradients are the caller's business.
  nb::object callRows(nb::handle first, nb::handle others, nb::handle out, uint64_t stream, uint64_t workspace,
                      int64_t workspaceBytes) {
    if (inputs == 0 || expected.size() != inputs + 1)
      return nb::none();
    int64_t tokens = 0;
    std::vector<uint64_t> addresses;
    addresses.reserve(expected.size());
    nb::object sequence = nb::steal(PySequence_Fast(others.ptr(), ""));
    if (!sequence.is_valid()) {
      PyErr_Clear();
      return nb::none();
    }
    if (PySequence_Fast_GET_SIZE(sequence.ptr()) != static_cast<Py_ssize_t>(inputs - 1) ||
        !takeRows(first, 0, tokens, addresses))
      return nb::none();
    for (size_t i = 1; i < inputs; ++i) {
      nb::handle other = PySequence_Fast_GET_ITEM(sequence.ptr(), static_cast<Py_ssize_t>(i - 1));
      if (PyLong_CheckExact(other.ptr()))
        addresses.push_back(nb::cast<uint64_t>(other));
      else if (!take(other, i, tokens, addresses, /*mayRecord=*/false))
        return nb::none();
    }
    int64_t needed;
    check(winnow_executable_workspace_bytes(executable.get(), tokens, &needed));
    if (workspaceBytes < needed || workspace % kWorkspaceAlignment != 0 || !takeRows(out, inputs, tokens, addresses))
      return nb::none();
    execute(stream, tokens, addresses, workspace, workspaceBytes);
    return nb::borrow(out);
  }

private:
  static nb::dlpack::dtype dlpackType(winnow_element_type element) {
    switch (element) { // codes of dlpack.h, DLDataTypeCode
    case WINNOW_F32:
      return {2, 32, 1};
    case WINNOW_BF16:
      return {4, 16, 1};
    case WINNOW_F16:
      return {2, 16, 1};
    case WINNOW_F8E4M3:
      return {10, 8, 1};
    case WINNOW_F8E5M2:
      return {12, 8, 1};
    case WINNOW_I1:
      return {6, 8, 1};
    case WINNOW_I32:
      return {0, 32, 1};
    case WINNOW_U8:
      return {1, 8, 1};
    }
    return {0, 0, 0};
  }

  static uint64_t addressOf(const dltensor &view) { return reinterpret_cast<uint64_t>(view.data) + view.byte_offset; }

  static int64_t bytesOf(const dltensor &view) {
    int64_t bytes = (view.dtype.bits * view.dtype.lanes + 7) / 8;
    for (int32_t i = 0; i < view.ndim; ++i)
      bytes *= view.shape[i];
    return bytes;
  }

  static bool isRowMajor(const dltensor &view) {
    int64_t stride = 1;
    for (int32_t i = view.ndim - 1; i >= 0 && view.strides; --i) {
      if (view.shape[i] != 1 && view.strides[i] != stride)
        return false;
      stride *= view.shape[i];
    }
    return true;
  }

  bool isHere(const dltensor &view) const {
    return view.device.device_type == memoryKind && view.device.device_id == device;
  }

  /// Notes the address of an array of at least one row per token, whose leading axes are one; false where it is not
  /// what argument `index` wants, a matrix. The first array sets the number of tokens.
  bool takeRows(nb::handle array, size_t index, int64_t &tokens, std::vector<uint64_t> &addresses) {
    std::optional<dltensor> view = viewOf(frameworks.of(array), array);
    const ExpectedTensor &wanted = expected[index];
    if (!view || !isHere(*view) || view->dtype.code != wanted.type.code || view->dtype.bits != wanted.type.bits ||
        view->dtype.lanes != wanted.type.lanes || wanted.shape.size() != 2 || wanted.shape[0] >= 0 || view->ndim < 2 ||
        view->shape[view->ndim - 1] != wanted.shape[1] || !isRowMajor(*view))
      return false;
    int64_t rows = 1;
    for (int32_t i = 0; i + 1 < view->ndim; ++i)
      rows *= view->shape[i];
    if (tokens == 0)
      tokens = rows;
    uint64_t address = addressOf(*view);
    if (rows != tokens || rows == 0 || address == 0 || address % kArgumentAlignment != 0)
      return false;
    addresses.push_back(address);
    return true;
  }

  /// Notes the address of an array; false where it is not what argument `index` wants. The first array with a token
  /// count sets it. `mayRecord`: gradients may have to flow through it, which is looked at.
  bool take(nb::handle array, size_t index, int64_t &tokens, std::vector<uint64_t> &addresses, bool mayRecord = true) {
    const Frameworks::Framework &framework = frameworks.of(array);
    std::optional<dltensor> view = viewOf(framework, array);
    if (!view || !isHere(*view) || (mayRecord && recordsGradients(framework, array)))
      return false;
    const ExpectedTensor &wanted = expected[index];
    if (view->dtype.code != wanted.type.code || view->dtype.bits != wanted.type.bits ||
        view->dtype.lanes != wanted.type.lanes || static_cast<size_t>(view->ndim) != wanted.shape.size())
      return false;
    for (size_t i = 0; i < wanted.shape.size(); ++i) {
      int64_t extent = wanted.shape[i];
      if (extent < 0) {
        if (tokens == 0)
          tokens = view->shape[i];
        extent = tokens;
      }
      if (view->shape[i] != extent || extent == 0)
        return false;
    }
    uint64_t address = addressOf(*view);
    if (!isRowMajor(*view) || address == 0 || address % kArgumentAlignment != 0)
      return false;
    addresses.push_back(address);
    return true;
  }

  /// New arrays of a framework whose current stream is `stream`, whose addresses it notes. Invalid where there are
  /// none.
  nb::object allocateResults(const Frameworks::Framework &framework, uint64_t stream, int64_t tokens,
                             std::vector<uint64_t> &addresses) {
    void *current = nullptr;
    if (framework.table->currentStream(memoryKind, device, &current) != 0) {
      PyErr_Clear();
      return nb::object();
    }
    if (reinterpret_cast<uint64_t>(current) != stream)
      return nb::object();
    nb::list results;
    for (size_t i = inputs; i < expected.size(); ++i) {
      std::vector<int64_t> shape = expected[i].shape;
      std::replace(shape.begin(), shape.end(), int64_t(-1), tokens);
      dltensor prototype;
      prototype.device = {memoryKind, device};
      prototype.ndim = static_cast<int32_t>(shape.size());
      prototype.dtype = expected[i].type;
      prototype.shape = shape.data();
      uint64_t address = 0;
      nb::object made = allocate(framework, prototype, address);
      if (!made.is_valid() || address % kArgumentAlignment != 0)
        return nb::object();
      addresses.push_back(address);
      if (expected.size() == inputs + 1)
        return made;
      results.append(made);
    }
    return nb::tuple(results);
  }

  ExecutableOwner executable;
  int device, memoryKind;
  size_t inputs;
  std::vector<ExpectedTensor> expected; ///< inputs, then outputs
  Frameworks frameworks;
};

/// How a tensor of torch lay in memory when it was looked at, and its version.
class Look {
public:
  explicit Look(nb::handle tensor) {
    std::optional<dltensor> view = viewOf(frameworks.of(tensor), tensor);
    if (!view || !view->strides)
      return;
    known = *view;
    shape.assign(view->shape, view->shape + view->ndim);
    strides.assign(view->strides, view->strides + view->ndim);
    version = versionOf(tensor);
  }
  /// Whether it lies there now, with the same shape, strides and type, and has not changed. False where torch cannot
  /// say.
  bool same(nb::handle tensor) {
    if (!known)
      return false;
    std::optional<dltensor> view = viewOf(frameworks.of(tensor), tensor);
    return view && view->strides && view->data == known->data && view->byte_offset == known->byte_offset &&
           view->device.device_type == known->device.device_type && view->device.device_id == known->device.device_id &&
           view->dtype.code == known->dtype.code && view->dtype.bits == known->dtype.bits &&
           view->dtype.lanes == known->dtype.lanes && static_cast<size_t>(view->ndim) == shape.size() &&
           std::equal(shape.begin(), shape.end(), view->shape) &&
           std::equal(strides.begin(), strides.end(), view->strides) && versionOf(tensor) == version;
  }

private:
  /// -1 for tensors of inference mode, which count no versions.
  static int64_t versionOf(nb::handle tensor) {
    static PyObject *const name = PyUnicode_InternFromString("_version");
    nb::object found = nb::steal(PyObject_GetAttr(tensor.ptr(), name));
    int64_t version = -1;
    if (!found.is_valid() || !nb::try_cast(found, version))
      PyErr_Clear();
    return version;
  }

  Frameworks frameworks;
  std::optional<dltensor> known;
  std::vector<int64_t> shape, strides;
  int64_t version = -1;
};

using DLPackArray = nb::ndarray<nb::ro>;
/// What a DLPack tensor says of itself: owner, address, type code, bits, shape, strides (elements), device type and
/// number, as dlpack.h defines them.
using DLPackView = std::tuple<nb::object, uint64_t, int, int, std::vector<int64_t>, std::vector<int64_t>, int, int>;

DLPackView viewDLPack(DLPackArray array) {
  std::vector<int64_t> shape, strides;
  for (size_t i = 0; i < array.ndim(); ++i) {
    shape.push_back(static_cast<int64_t>(array.shape(i)));
    strides.push_back(array.stride(i));
  }
  auto address = reinterpret_cast<uint64_t>(array.data());
  nb::dlpack::dtype type = array.dtype();
  int device = array.device_type(), index = array.device_id();
  if (type.lanes != 1)
    throw nb::type_error("expected one value per element, got vectors");
  return {nb::cast(std::move(array)), address, type.code, type.bits, std::move(shape),
          std::move(strides),         device,  index};
}

} // namespace

void winnow::python::bindExecutable(nb::module_ &m) {
  nb::class_<RecordedCall>(m, "RecordedCall", "A call with its arguments, as a CUDA graph.")
      .def("launch", &RecordedCall::launch, "stream"_a);
  nb::class_<Executable>(m, "Executable", "An artifact, loaded on a CUDA device.")
      .def(nb::init<nb::bytes, int, int>(), "artifact"_a, "device"_a, "memory_kind"_a = 2)
      .def("arguments", &Executable::arguments, "outputs"_a, "Inputs, or outputs.")
      .def("workspace_bytes", &Executable::workspaceBytes, "tokens"_a)
      .def("execute", &Executable::execute, "stream"_a, "tokens"_a, "addresses"_a, "workspace"_a, "workspace_bytes"_a)
      .def("call", &Executable::call, "arrays"_a, "out"_a.none(), "stream"_a, "workspace_array"_a.none(), "workspace"_a,
           "workspace_bytes"_a,
           "A call with arrays whose framework has DLPack's C functions; None, with nothing enqueued, where it cannot "
           "be made so.")
      .def("call_rows", &Executable::callRows, "first"_a, "others"_a, "out"_a, "stream"_a, "workspace"_a,
           "workspace_bytes"_a,
           "The same for a function of rows, with any leading axes, and of weights: arrays, or addresses that are not "
           "looked at. Whether gradients are recorded is not asked.")
      .def("record", &Executable::record, "tokens"_a, "addresses"_a, "workspace"_a, "workspace_bytes"_a,
           "A call as a CUDA graph.")
      .def("execute_launch", &Executable::executeLaunch, "index"_a, "stream"_a, "tokens"_a, "addresses"_a,
           "workspace"_a, "workspace_bytes"_a, "One launch of a call alone.")
      .def("ranges", &Executable::ranges, "First, last and decided-for token count, and a summary, of each range.")
      .def("launches", &Executable::launches, "tokens"_a,
           "The kernel of each launch of a call, None where it is none.");

  nb::class_<Look>(m, "Look", "How a tensor of torch lay in memory when it was looked at, and its version.")
      .def(nb::init<nb::handle>(), "tensor"_a)
      .def("same", &Look::same, "tensor"_a,
           "Whether it lies there now, with the same shape, strides and type, and has not changed; False where torch "
           "cannot say.");

  m.def("view_dlpack", &viewDLPack, "array"_a,
        nb::sig("def view_dlpack(array: object) -> "
                "tuple[object, int, int, int, list[int], list[int], int, int]"),
        "Owner, address, type code, bits, shape, strides, device type and number of a DLPack tensor.");
  m.def("device_count", [] {
    int count = 0;
    checkUnlocked([&] { return winnow_device_count(&count); });
    return count;
  });
  m.def(
      "device_target",
      [](int device) {
        winnow_bytes *bytes = nullptr;
        checkUnlocked([&] { return winnow_device_target(device, &bytes); });
        BytesOwner owner(bytes);
        return std::string(winnow_bytes_data(bytes), winnow_bytes_size(bytes));
      },
      "device"_a);
}
