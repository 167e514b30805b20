//===- JaxProgram.cpp - what XLA's custom calls run ---------------------------------------------------------------===//

#include "JaxProgram.h"

#include <thread>
#include <unordered_map>
#include <utility>

using namespace winnow::python;

/// Of the runtime's workspaces, in bytes.
static constexpr uint64_t kWorkspaceAlignment = 256;

JaxProgram::JaxProgram(const std::string &text, const std::string &entry) : entry(entry) {
  winnow_context *made = nullptr;
  check(winnow_context_create(&made));
  context.reset(made);
  winnow_module *parsed = nullptr;
  check(winnow_module_parse(made, text.data(), text.size(), "<text>", &parsed));
  module.reset(parsed);
  size_t function;
  check(winnow_module_find_function(parsed, entry.c_str(), &function));
  inputs = winnow_module_input_count(parsed, function);
  for (size_t i = 0; i < inputs + winnow_module_output_count(parsed, function); ++i) {
    winnow_argument argument;
    check(winnow_module_argument(parsed, function, i, &argument));
    signature.push_back(
        {argument.name, argument.element, std::vector<int64_t>(argument.shape, argument.shape + argument.rank)});
  }
}

void JaxProgram::setArtifact(std::string bytes) {
  std::lock_guard<std::mutex> lock(mutex);
  if (artifact.empty())
    artifact = std::move(bytes);
}

static std::string shapeText(const std::vector<int64_t> &shape) {
  std::string text;
  for (int64_t extent : shape)
    text += (text.empty() ? "" : ", ") + (extent < 0 ? "tokens" : std::to_string(extent));
  return "(" + text + ")";
}

int64_t JaxProgram::checkArrays(const std::vector<CallArray> &given, const std::vector<CallArray> &results) const {
  if (given.size() != inputCount() || results.size() != outputCount())
    throw Failure("@" + entry + ": expected " + std::to_string(inputCount()) + " inputs and " +
                  std::to_string(outputCount()) + " outputs, got " + std::to_string(given.size()) + " and " +
                  std::to_string(results.size()));
  int64_t tokens = -1;
  for (size_t i = 0; i < signature.size(); ++i) {
    const Parameter &expected = signature[i];
    const CallArray &array = i < inputs ? given[i] : results[i - inputs];
    bool fits = array.element == expected.element && array.shape.size() == expected.shape.size();
    for (size_t axis = 0; fits && axis < array.shape.size(); ++axis) {
      int64_t extent = array.shape[axis];
      if (expected.shape[axis] < 0 && tokens < 0)
        tokens = extent;
      fits = extent == (expected.shape[axis] < 0 ? tokens : expected.shape[axis]);
    }
    // Shapes were checked when the call was traced: this is a call that was made by something else.
    if (!fits)
      throw Failure("@" + entry + ": " + expected.name + ": expected " + shapeText(expected.shape) +
                    " of element type " + std::to_string(expected.element) + ", got " + shapeText(array.shape) +
                    " of element type " + std::to_string(array.element));
  }
  return tokens < 0 ? 1 : tokens;
}

void JaxProgram::runOnCpu(const std::vector<CallArray> &given, const std::vector<CallArray> &results) {
  checkArrays(given, results);
  std::vector<winnow_host_tensor> tensors[2];
  for (const CallArray &array : given)
    tensors[0].push_back({array.element, array.shape.size(), array.shape.data(), array.data});
  for (const CallArray &array : results)
    tensors[1].push_back({array.element, array.shape.size(), array.shape.data(), array.data});
  check(winnow_module_interpret(module.get(), entry.c_str(), tensors[0].data(), tensors[0].size(), tensors[1].data(),
                                tensors[1].size()));
}

const winnow_executable *JaxProgram::executable(int device) {
  std::lock_guard<std::mutex> lock(mutex);
  ExecutableOwner &owner = executables[device];
  if (owner)
    return owner.get();
  if (artifact.empty())
    throw Failure("@" + entry +
                  ": no kernels for CUDA devices in this process; call preload(\"cuda\") of the winnow.jax.FFN");
  // Loading allocates, which the driver forbids to a thread that is capturing a CUDA graph, as XLA may be here.
  winnow_executable *loaded = nullptr;
  winnow_error *error = nullptr;
  std::thread([&] { error = winnow_executable_load_bytes(artifact.data(), artifact.size(), device, &loaded); }).join();
  check(error);
  owner.reset(loaded);
  return loaded;
}

void JaxProgram::load(int device) { executable(device); }

void JaxProgram::runOnCuda(int device, void *stream, const std::vector<CallArray> &given,
                           const std::vector<CallArray> &results, uint64_t workspace, int64_t workspaceBytes) {
  int64_t tokens = checkArrays(given, results);
  std::vector<uint64_t> addresses;
  for (const CallArray &array : given)
    addresses.push_back(reinterpret_cast<uint64_t>(array.data));
  for (const CallArray &array : results)
    addresses.push_back(reinterpret_cast<uint64_t>(array.data));
  uint64_t aligned = (workspace + kWorkspaceAlignment - 1) / kWorkspaceAlignment * kWorkspaceAlignment;
  check(winnow_executable_execute(executable(device), stream, tokens, addresses.data(), addresses.size(), aligned,
                                  workspaceBytes - static_cast<int64_t>(aligned - workspace)));
}

namespace {

struct Registry {
  std::mutex mutex; ///< guards the programs
  std::unordered_map<std::string, std::shared_ptr<JaxProgram>> programs;
};

} // namespace

/// Never destroyed: XLA's threads may still call when the process ends, and the driver be gone.
static Registry &registry() {
  static auto *instance = new Registry;
  return *instance;
}

std::shared_ptr<JaxProgram> winnow::python::findJaxProgram(const std::string &key) {
  std::lock_guard<std::mutex> lock(registry().mutex);
  auto found = registry().programs.find(key);
  return found == registry().programs.end() ? nullptr : found->second;
}

std::shared_ptr<JaxProgram> winnow::python::addJaxProgram(const std::string &key, const std::string &text,
                                                          const std::string &entry) {
  if (std::shared_ptr<JaxProgram> program = findJaxProgram(key))
    return program;
  auto made = std::make_shared<JaxProgram>(text, entry);
  std::lock_guard<std::mutex> lock(registry().mutex);
  return registry().programs.emplace(key, std::move(made)).first->second;
}
