//===- JaxHandler.cpp - XLA's way into Winnow ---------------------------------------------------------------------===//

#include "JaxHandler.h"

#include "JaxProgram.h"

#include <exception>

using namespace winnow;
using namespace winnow::python;

static xla::Error *makeError(const xla::CallFrame &frame, xla::ErrorCode code, const char *message) {
  xla::ErrorArguments arguments = {sizeof arguments, nullptr, message, code};
  return frame.api->createError(&arguments);
}

namespace {

/// The call names a program that this process does not have.
struct MissingProgram : Failure {
  using Failure::Failure;
};

} // namespace

/// Runs `body`, which throws or succeeds.
template <typename Body> static xla::Error *guarded(const xla::CallFrame &frame, Body body) {
  try {
    body();
    return nullptr;
  } catch (const MissingProgram &exception) {
    return makeError(frame, xla::ErrorCode::failedPrecondition, exception.what());
  } catch (const std::exception &exception) {
    return makeError(frame, xla::ErrorCode::internal, exception.what());
  } catch (...) {
    return makeError(frame, xla::ErrorCode::internal, "unknown failure inside Winnow");
  }
}

/// Says what the handler is, where XLA asks for that.
static bool answersMetadata(const xla::CallFrame &frame, uint32_t traits) {
  if (!frame.extension || frame.extension->kind != xla::ExtensionKind::metadata)
    return false;
  xla::Metadata &metadata = *reinterpret_cast<xla::MetadataExtension *>(frame.extension)->metadata;
  metadata.version = {sizeof metadata.version, nullptr, xla::kMajorVersion, xla::kMinorVersion};
  metadata.traits = traits;
  if (frame.api && frame.api->version.minorVersion >= xla::kMinorVersion)
    metadata.stateType = 0;
  return true;
}

static winnow_element_type elementOf(xla::ElementType element) {
  switch (element) {
  case xla::ElementType::f32:
    return WINNOW_F32;
  case xla::ElementType::bf16:
    return WINNOW_BF16;
  case xla::ElementType::f16:
    return WINNOW_F16;
  case xla::ElementType::f8e4m3fn:
    return WINNOW_F8E4M3;
  case xla::ElementType::f8e5m2:
    return WINNOW_F8E5M2;
  case xla::ElementType::pred:
    return WINNOW_I1;
  case xla::ElementType::s32:
    return WINNOW_I32;
  case xla::ElementType::u8:
    return WINNOW_U8;
  }
  throw Failure("expected an element type of Winnow (f32, bf16, f16, f8, i32, u8, bool), got XLA's number " +
                std::to_string(static_cast<int>(element)));
}

static std::vector<CallArray> arraysOf(const xla::Buffers &buffers) {
  std::vector<CallArray> arrays;
  for (int64_t i = 0; i < buffers.size; ++i) {
    if (buffers.kinds[i] != xla::kBufferArgument)
      throw Failure("expected a buffer as argument or result " + std::to_string(i) + ", got XLA's kind " +
                    std::to_string(buffers.kinds[i]));
    const auto &buffer = *static_cast<const xla::Buffer *>(buffers.values[i]);
    arrays.push_back(
        {elementOf(buffer.element), std::vector<int64_t>(buffer.shape, buffer.shape + buffer.rank), buffer.data});
  }
  return arrays;
}

/// The program that the call names; throws where there is none.
static std::shared_ptr<JaxProgram> programOf(const xla::CallFrame &frame) {
  const xla::Attributes &attributes = frame.attributes;
  for (int64_t i = 0; i < attributes.size; ++i) {
    if (std::string(attributes.names[i]->data, attributes.names[i]->size) != "program" ||
        attributes.kinds[i] != xla::kStringAttribute)
      continue;
    const auto &span = *static_cast<const xla::ByteSpan *>(attributes.values[i]);
    std::string key(span.data, span.size);
    if (std::shared_ptr<JaxProgram> program = findJaxProgram(key))
      return program;
    throw MissingProgram("no program " + key +
                         " in this process, which has not traced this call itself: make the same FFN with "
                         "winnow.jax.compile, by the same build of Winnow, and call its preload()");
  }
  throw Failure("expected the attribute 'program', a string");
}

static int32_t deviceOf(const xla::CallFrame &frame, xla::Error *&error) {
  xla::DeviceArguments arguments = {sizeof arguments, nullptr, frame.context, 0};
  error = frame.api->getDeviceOrdinal(&arguments);
  return arguments.ordinal;
}

xla::Error *winnow::python::handleOnCpu(xla::CallFrame *frame) {
  if (answersMetadata(*frame, /*traits=*/0))
    return nullptr;
  return guarded(*frame, [&] { programOf(*frame)->runOnCpu(arraysOf(frame->arguments), arraysOf(frame->results)); });
}

xla::Error *winnow::python::handleOnCuda(xla::CallFrame *frame) {
  if (answersMetadata(*frame, xla::kCommandBufferCompatible))
    return nullptr;
  xla::Error *error = nullptr;
  int32_t device = deviceOf(*frame, error);
  if (error)
    return error;
  if (frame->stage == xla::Stage::initialize)
    return guarded(*frame, [&] { programOf(*frame)->load(device); });
  xla::StreamArguments arguments = {sizeof arguments, nullptr, frame->context, nullptr};
  if ((error = frame->api->getStream(&arguments)))
    return error;
  return guarded(*frame, [&] {
    std::vector<CallArray> results = arraysOf(frame->results);
    if (results.empty() || results.back().element != WINNOW_U8 || results.back().shape.size() != 1)
      throw Failure("expected a workspace of u8 as the last result");
    CallArray workspace = std::move(results.back());
    results.pop_back();
    programOf(*frame)->runOnCuda(device, arguments.stream, arraysOf(frame->arguments), results,
                                 reinterpret_cast<uint64_t>(workspace.data), workspace.shape[0]);
  });
}
