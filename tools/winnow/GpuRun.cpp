//===- GpuRun.cpp - a program on a GPU, with its buffers ----------------------------------------------------------===//

#include "GpuRun.h"

#include "winnow/Interpreter/Layouts.h"

#include "llvm/Support/raw_ostream.h"

#include <algorithm>

using namespace winnow;
using namespace winnow::tool;

std::string tool::targetOf(const rt::DeviceInfo &device) {
  std::string name = "sm_" + std::to_string(device.computeMajor) + std::to_string(device.computeMinor);
  return device.computeMajor >= 9 ? name + "a" : name;
}

Result<std::shared_ptr<const rt::Device>> tool::openDevice(llvm::StringRef target, int ordinal) {
  if (target == "cpu")
    return std::shared_ptr<const rt::Device>();
  Result<std::shared_ptr<const rt::Device>> opened = rt::Device::open(ordinal);
  if (opened || !target.empty())
    return opened;
  llvm::errs() << "note: running on the CPU reference: "
               << llvm::StringRef(opened.message()).split('\n').first.split(';').first
               << " ('winnow env' shows what was tried)\n";
  return std::shared_ptr<const rt::Device>();
}

Result<std::unique_ptr<GpuRun>> GpuRun::create(rt::Program program, std::shared_ptr<const rt::Device> device,
                                               int64_t tokens) {
  std::unique_ptr<GpuRun> run(new GpuRun);
  run->owner = device;
  run->tokenCount = tokens;
  Result<std::shared_ptr<rt::Executable>> executable = rt::Executable::load(std::move(program), device);
  if (!executable)
    return executable.error();
  run->executable = *executable;
  for (const rt::Buffer &buffer : run->plan().buffers) {
    if (buffer.kind != rt::BufferKind::input && buffer.kind != rt::BufferKind::output)
      continue;
    int64_t bytes = std::max<int64_t>(buffer.bytes.evaluate(tokens), 1);
    Result<rt::DeviceBuffer> memory = rt::DeviceBuffer::allocate(device, bytes, "'" + buffer.name + "'");
    if (!memory)
      return memory.error();
    run->arguments.push_back(memory->address());
    run->buffers.push_back(std::move(*memory));
  }
  Result<int64_t> bytes = run->executable->workspaceBytes(tokens);
  if (!bytes)
    return bytes.error();
  Result<rt::DeviceBuffer> workspace =
      rt::DeviceBuffer::allocate(device, std::max<int64_t>(*bytes, 1), "the workspace");
  if (!workspace)
    return workspace.error();
  run->workspace = std::move(*workspace);
  return run;
}

int64_t GpuRun::decidedFor() const {
  const rt::Program &program = executable->program();
  return program.specializations[program.indexFor(tokenCount)].decidedFor;
}

Status GpuRun::setInput(size_t index, const interp::Tensor &tensor) {
  return buffers[index].copyFrom(tensor.bytes().data(), static_cast<int64_t>(tensor.bytes().size()));
}

Status GpuRun::poison() {
  size_t index = 0;
  for (const rt::Buffer &buffer : plan().buffers) {
    if (buffer.kind != rt::BufferKind::input && buffer.kind != rt::BufferKind::output)
      continue;
    if (buffer.kind == rt::BufferKind::output)
      if (Status status = buffers[index].fill(0xFF); !status)
        return status;
    ++index;
  }
  if (Status status = workspace.fill(0xFF); !status)
    return status;
  return synchronize();
}

Status GpuRun::enqueue(rt::Stream stream) {
  return executable->execute(stream, tokenCount, arguments, workspace.address(), workspace.bytes());
}

Status GpuRun::enqueueLaunch(size_t index, rt::Stream stream) {
  return executable->executeLaunch(index, stream, tokenCount, arguments, workspace.address(), workspace.bytes());
}

Status GpuRun::runPoisoned() {
  Status status = poison();
  if (status)
    status = enqueue();
  if (status)
    status = synchronize();
  return status;
}

Result<std::vector<uint8_t>> GpuRun::bytes(size_t buffer) const {
  Result<rt::DevicePointer> address = this->address(buffer);
  if (!address)
    return address.error();
  std::vector<uint8_t> host(plan().buffers[buffer].bytes.evaluate(tokenCount));
  auto within = [&](const rt::DeviceBuffer &memory) {
    return *address >= memory.address() && *address < memory.address() + static_cast<uint64_t>(memory.bytes());
  };
  auto copy = [&](const rt::DeviceBuffer &memory) {
    return memory.copyTo(host.data(), static_cast<int64_t>(host.size()),
                         static_cast<int64_t>(*address - memory.address()));
  };
  auto owner = std::find_if(buffers.begin(), buffers.end(), within);
  if (owner == buffers.end() && !within(workspace))
    return Error{"buffer '" + plan().buffers[buffer].name + "' does not lie in the memory of this call"};
  Status status = copy(owner == buffers.end() ? workspace : *owner);
  if (!status)
    return status.error();
  return host;
}

Result<interp::Tensor> GpuRun::tensor(size_t buffer) const {
  Result<std::vector<uint8_t>> contents = bytes(buffer);
  if (!contents)
    return contents.error();
  return interp::decode(plan().buffers[buffer], tokenCount, *contents);
}

Result<std::vector<interp::Tensor>> GpuRun::outputs() const {
  std::vector<interp::Tensor> results;
  for (size_t index = 0; index < plan().buffers.size(); ++index) {
    if (plan().buffers[index].kind != rt::BufferKind::output)
      continue;
    Result<interp::Tensor> result = tensor(index);
    if (!result)
      return result.error();
    results.push_back(std::move(*result));
  }
  return results;
}
