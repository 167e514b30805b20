//===- TuneTrial.cpp - one product under several schedules, on a GPU ----------------------------------------------===//

#include "TuneTrial.h"

#include "winnow/Interpreter/Layouts.h"
#include "winnow/Target/Cuda/KernelParameters.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

#include <algorithm>
#include <cstring>
#include <map>

using namespace winnow;
using namespace winnow::tool;

//===--------------------------------------------------------------------------------------------------------------===//
// A product by itself
//===--------------------------------------------------------------------------------------------------------------===//

Result<IsolatedProduct> tool::isolateProduct(const rt::Plan &whole, kern::GemmOp op) {
  std::string name = op.getSymName().str();
  auto launch = llvm::find_if(whole.launches, [&](const rt::Launch &candidate) {
    return candidate.kind == rt::Launch::Kind::kernel && whole.kernels[candidate.kernel].name == name;
  });
  llvm::SmallVector<cuda::Parameter> parameters = cuda::getParameters(op);
  if (launch == whole.launches.end() || launch->arguments.size() != parameters.size())
    return Error{"the plan has no launch of '" + name + "' with " + std::to_string(parameters.size()) + " parameters"};

  IsolatedProduct product;
  product.plan.name = whole.name;
  product.plan.target = whole.target;
  product.plan.compiler = whole.compiler;
  product.plan.maxTokens = whole.maxTokens;
  rt::Launch copy = *launch;
  std::optional<uint32_t> out, counters, partials, counts;
  for (auto [parameter, argument] : llvm::zip(parameters, launch->arguments))
    if (parameter.kind == cuda::Parameter::Kind::outMap)
      out = launch->tensorMaps[argument.index].buffer;
    else if (llvm::StringRef(parameter.name) == "out")
      out = argument.index;
    else if (parameter.kind == cuda::Parameter::Kind::progress)
      counters = argument.index;
    else if (parameter.kind == cuda::Parameter::Kind::partials)
      partials = argument.index;
    else if (llvm::StringRef(parameter.name) == "counts")
      counts = argument.index;
  if (!out)
    return Error{"kernel '" + name + "' has no result"};

  // Inputs first, then the result, then counters and sums: the order that a plan wants.
  std::map<uint32_t, uint32_t> places;
  auto take = [&](uint32_t buffer, rt::BufferKind kind) {
    if (!places.emplace(buffer, static_cast<uint32_t>(product.plan.buffers.size())).second)
      return;
    rt::Buffer taken = whole.buffers[buffer];
    taken.kind = kind;
    taken.contents.clear();
    product.plan.buffers.push_back(std::move(taken));
    if (kind != rt::BufferKind::workspace)
      product.sourceBuffers.push_back(buffer);
  };
  auto takeInput = [&](uint32_t buffer) {
    if (buffer != *out && buffer != counters && buffer != partials && buffer != counts)
      take(buffer, rt::BufferKind::input);
  };
  for (const rt::TensorMap &map : copy.tensorMaps)
    takeInput(map.buffer);
  for (const rt::Argument &argument : copy.arguments)
    if (argument.kind == rt::Argument::Kind::pointer)
      takeInput(argument.index);
  take(*out, rt::BufferKind::output);
  if (counters) {
    take(*counters, rt::BufferKind::workspace);
    rt::Launch fill;
    fill.kind = rt::Launch::Kind::fillZero;
    fill.buffer = places.at(*counters);
    product.plan.launches.push_back(std::move(fill));
  }
  if (partials)
    take(*partials, rt::BufferKind::workspace);
  if (counts) // added to, and not looked at
    take(*counts, rt::BufferKind::workspace);
  for (rt::TensorMap &map : copy.tensorMaps)
    map.buffer = places.at(map.buffer);
  for (rt::Argument &argument : copy.arguments)
    if (argument.kind == rt::Argument::Kind::pointer)
      argument.index = places.at(argument.index);
  product.plan.kernels.push_back(whole.kernels[copy.kernel]);
  product.plan.images.push_back(whole.images[product.plan.kernels.back().image]);
  product.plan.kernels.back().image = 0;
  copy.kernel = 0;
  product.plan.launches.push_back(std::move(copy));
  return product;
}

//===--------------------------------------------------------------------------------------------------------------===//
// Trials
//===--------------------------------------------------------------------------------------------------------------===//

static double quantileOf(std::vector<double> values, double fraction) {
  std::sort(values.begin(), values.end());
  return values.empty() ? 0 : values[static_cast<size_t>(fraction * static_cast<double>(values.size() - 1) + 0.5)];
}

double Trial::quantile(double fraction) const { return quantileOf(seconds, fraction); }

bool tool::beats(const std::vector<double> &candidate, const std::vector<double> &model) {
  size_t rounds = std::min(candidate.size(), model.size());
  if (rounds < static_cast<size_t>(kLeastRounds))
    return false;
  std::vector<double> ratios;
  for (size_t i = 0; i < rounds; ++i)
    ratios.push_back(candidate[i] / model[i]);
  return quantileOf(ratios, 0.75) <= 1 - kLeastGain;
}

Result<ProductTrials> ProductTrials::create(const GpuRun &run, const IsolatedProduct &product,
                                            const Tolerance &tolerance) {
  ProductTrials trials;
  trials.run = &run;
  trials.tolerance = tolerance;
  trials.resultBuffer = product.sourceBuffers.back();
  std::shared_ptr<const rt::Device> device = run.owningDevice();
  for (size_t buffer : product.sourceBuffers) {
    Result<rt::DevicePointer> address = run.address(buffer);
    if (!address)
      return address.error();
    trials.arguments.push_back(*address);
  }
  Result<std::vector<uint8_t>> expected = run.bytes(trials.resultBuffer);
  if (!expected)
    return expected.error();
  trials.expected = std::move(*expected);
  int64_t bytes = std::max<int64_t>(run.plan().buffers[trials.resultBuffer].bytes.evaluate(run.tokens()), 1);
  Result<rt::DeviceBuffer> result = rt::DeviceBuffer::allocate(device, bytes, "the result of a product");
  if (!result)
    return result.error();
  trials.result = std::move(*result);
  trials.arguments.back() = trials.result.address();
  if (Status status = trials.copyWeights(product); !status)
    return status.error();
  Result<rt::OwnedStream> stream = rt::OwnedStream::create(device);
  if (!stream)
    return stream.error();
  trials.stream = std::move(*stream);
  return trials;
}

/// Operands whose size does not depend on the token count are weights. In a model those of the other layers pass
/// through the cache between two uses of one, while what depends on the token count has just been written and is still
/// there.
Status ProductTrials::copyWeights(const IsolatedProduct &product) {
  places = {arguments};
  int64_t total = 0, weightBytes = 0;
  std::vector<size_t> weights;
  for (size_t i = 0; i < product.sourceBuffers.size(); ++i) {
    const rt::Buffer &buffer = product.plan.buffers[i];
    int64_t bytes = buffer.bytes.evaluate(run->tokens());
    total += bytes;
    if (buffer.kind != rt::BufferKind::input || buffer.bytes.evaluate(1) != buffer.bytes.evaluate(2) || bytes == 0)
      continue;
    weightBytes += bytes;
    weights.push_back(i);
  }
  if (weights.empty() || total >= kRotatedBytes)
    return {};
  std::vector<std::vector<uint8_t>> contents;
  for (size_t i : weights) {
    Result<std::vector<uint8_t>> bytes = run->bytes(product.sourceBuffers[i]);
    if (!bytes)
      return bytes.error();
    contents.push_back(std::move(*bytes));
  }
  while (static_cast<int>(places.size()) < kMostCopies &&
         weightBytes * static_cast<int64_t>(places.size()) < kRotatedBytes) {
    std::vector<rt::DevicePointer> place = arguments;
    for (auto [i, bytes] : llvm::zip_equal(weights, contents)) {
      auto size = static_cast<int64_t>(bytes.size());
      Result<rt::DeviceBuffer> copy = rt::DeviceBuffer::allocate(run->owningDevice(), size, "a copy of a weight");
      if (!copy)
        return {}; // As many as fit.
      if (Status status = copy->copyFrom(bytes.data(), size); !status)
        return status;
      place[i] = copy->address();
      copies.push_back(std::move(*copy));
    }
    places.push_back(std::move(place));
  }
  return {};
}

/// Whether the result is bit for bit what it should be. Of a large one pieces are looked at that lie evenly in it, the
/// first and the last among them: reading gigabytes from the device for every schedule would take longer than timing.
Result<bool> ProductTrials::sameBytes() const {
  constexpr size_t kPieceBytes = size_t(1) << 20, kMostPieces = 128;
  std::vector<uint8_t> piece(std::min(kPieceBytes, expected.size()));
  size_t all = llvm::divideCeil(expected.size(), kPieceBytes), count = std::min(all, kMostPieces);
  for (size_t i = 0; i < count; ++i) {
    size_t which = count == 1 ? 0 : i * (all - 1) / (count - 1);
    size_t first = which * kPieceBytes, size = std::min(kPieceBytes, expected.size() - first);
    if (Status status = result.copyTo(piece.data(), static_cast<int64_t>(size), static_cast<int64_t>(first)); !status)
      return status.error();
    if (std::memcmp(piece.data(), expected.data() + first, size) != 0)
      return false;
  }
  return true;
}

Status ProductTrials::add(const kern::GemmSchedule &schedule, IsolatedProduct product) {
  all.emplace_back();
  Trial &trial = all.back();
  trial.schedule = schedule;
  rt::Buffer out = product.plan.buffers[product.sourceBuffers.size() - 1];
  Result<std::shared_ptr<rt::Executable>> executable =
      rt::Executable::load(std::move(product.plan), run->owningDevice());
  if (!executable) {
    trial.problem = executable.message();
    return {};
  }
  Result<int64_t> bytes = (*executable)->workspaceBytes(run->tokens());
  if (!bytes)
    return bytes.error();
  if (*bytes > workspace.bytes()) {
    Result<rt::DeviceBuffer> larger = rt::DeviceBuffer::allocate(run->owningDevice(), *bytes, "the pacing counters");
    if (!larger)
      return larger.error();
    workspace = std::move(*larger);
  }
  Status status = result.fill(0xFF, stream.get());
  if (status)
    status = (*executable)->execute(stream.get(), run->tokens(), arguments, workspace.address(), workspace.bytes());
  if (status)
    status = stream.synchronize();
  if (!status)
    return status; // The device is in no state to go on with.
  Result<bool> same = sameBytes();
  if (!same)
    return same.error();
  if (*same) {
    trial.executable = *executable;
    return {};
  }
  std::vector<uint8_t> host(expected.size());
  if (Status copied = result.copyTo(host.data(), static_cast<int64_t>(host.size())); !copied)
    return copied;
  Result<interp::Tensor> got = interp::decode(out, run->tokens(), host);
  Result<interp::Tensor> want = interp::decode(out, run->tokens(), expected);
  if (!got || !want) {
    trial.problem = got ? want.message() : got.message();
    return {};
  }
  Agreement agreement = compareTensors("the product", "all", *got, *want, tolerance);
  if (agreement.passed())
    trial.executable = *executable;
  else
    trial.problem = !agreement.problem.empty()
                        ? agreement.problem
                        : std::to_string(agreement.differing) + " of " + std::to_string(agreement.count) +
                              " elements differ from the model's choice";
  return {};
}

size_t ProductTrials::winner() const {
  size_t best = 0;
  for (size_t index : finalists)
    if (beats(all[index].seconds, all[0].seconds) && all[index].median() < all[best].median())
      best = index;
  return best;
}
