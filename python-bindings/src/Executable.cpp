//===- Executable.cpp - running artifacts from Python -------------------------------------------------------------===//

#include "Support.h"

#include <nanobind/ndarray.h>

namespace nb = nanobind;
using namespace nb::literals;
using namespace winnow::python;

namespace {

class Executable {
public:
  Executable(nb::bytes artifact, int device) {
    winnow_executable *loaded = nullptr;
    checkUnlocked([&] { return winnow_executable_load_bytes(artifact.c_str(), artifact.size(), device, &loaded); });
    executable.reset(loaded);
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

  /// The kernel of each launch, nothing where it is none.
  std::vector<std::optional<std::string>> launches() const {
    std::vector<std::optional<std::string>> names;
    for (size_t i = 0; i < winnow_executable_launch_count(executable.get()); ++i) {
      const char *name = winnow_executable_launch_name(executable.get(), i);
      names.push_back(name ? std::optional<std::string>(name) : std::nullopt);
    }
    return names;
  }

private:
  ExecutableOwner executable;
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
  nb::class_<Executable>(m, "Executable", "An artifact, loaded on a CUDA device.")
      .def(nb::init<nb::bytes, int>(), "artifact"_a, "device"_a)
      .def("arguments", &Executable::arguments, "outputs"_a, "Inputs, or outputs.")
      .def("workspace_bytes", &Executable::workspaceBytes, "tokens"_a)
      .def("execute", &Executable::execute, "stream"_a, "tokens"_a, "addresses"_a, "workspace"_a, "workspace_bytes"_a)
      .def("execute_launch", &Executable::executeLaunch, "index"_a, "stream"_a, "tokens"_a, "addresses"_a,
           "workspace"_a, "workspace_bytes"_a, "One launch of a call alone.")
      .def("launches", &Executable::launches, "The kernel of each launch of a call, None where it is none.");

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
