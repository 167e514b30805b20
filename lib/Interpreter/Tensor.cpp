//===- Tensor.cpp - values of the interpreter ---------------------------------------------------------------------===//

#include "winnow/Interpreter/Tensor.h"

#include <cstring>

namespace winnow::interp {

using rt::ElementType;

Tensor::Tensor(ElementType element, std::vector<int64_t> shape) : elementType(element), extents(std::move(shape)) {
  storage.resize(static_cast<size_t>(count() * elementBytes(element)));
}

int64_t Tensor::count() const {
  int64_t product = 1;
  for (int64_t extent : extents)
    product *= extent;
  return product;
}

template <typename T> static T load(const std::vector<uint8_t> &storage, int64_t index) {
  T value;
  std::memcpy(&value, storage.data() + static_cast<size_t>(index) * sizeof(T), sizeof(T));
  return value;
}

template <typename T> static void store(std::vector<uint8_t> &storage, int64_t index, T value) {
  std::memcpy(storage.data() + static_cast<size_t>(index) * sizeof(T), &value, sizeof(T));
}

void Tensor::widen(int64_t index, int64_t size, float *out) const {
  auto each = [&](auto convert) {
    for (int64_t i = 0; i < size; ++i)
      out[i] = convert(index + i);
  };
  switch (elementType) {
  case ElementType::f32:
    return each([&](int64_t i) { return load<float>(storage, i); });
  case ElementType::bf16:
    return each([&](int64_t i) { return fromBF16(load<uint16_t>(storage, i)); });
  case ElementType::f16:
    return each([&](int64_t i) { return fromF16(load<uint16_t>(storage, i)); });
  case ElementType::f8e4m3:
    return each([&, values = valuesOfF8E4M3()](int64_t i) { return values[storage[i]]; });
  case ElementType::f8e5m2:
    return each([&](int64_t i) { return fromF8E5M2(storage[i]); });
  case ElementType::i32:
    return each([&](int64_t i) { return static_cast<float>(load<int32_t>(storage, i)); });
  case ElementType::i1:
  case ElementType::u8:
    return each([&](int64_t i) { return static_cast<float>(storage[i]); });
  }
}

void Tensor::narrow(int64_t index, int64_t size, const float *values) {
  auto each = [&](auto convert) {
    for (int64_t i = 0; i < size; ++i)
      store(storage, index + i, convert(values[i]));
  };
  switch (elementType) {
  case ElementType::f32:
    return each([](float value) { return value; });
  case ElementType::bf16:
    return each(toBF16);
  case ElementType::f16:
    return each(toF16);
  case ElementType::f8e4m3:
    return each(toF8E4M3);
  case ElementType::f8e5m2:
    return each(toF8E5M2);
  case ElementType::i32:
    return each([](float value) { return static_cast<int32_t>(value); });
  case ElementType::i1:
    return each([](float value) { return static_cast<uint8_t>(value != 0.0f); });
  case ElementType::u8:
    return each([](float value) { return static_cast<uint8_t>(value); });
  }
}

float Tensor::get(int64_t index) const {
  float value = 0.0f;
  widen(index, 1, &value);
  return value;
}

void Tensor::set(int64_t index, float value) { narrow(index, 1, &value); }

bool isF8(ElementType element) { return element == ElementType::f8e4m3 || element == ElementType::f8e5m2; }

float largestF8(ElementType element) { return element == ElementType::f8e4m3 ? 448.0f : 57344.0f; }

std::string shapeText(const std::vector<int64_t> &shape) {
  if (shape.empty())
    return "scalar";
  std::string text;
  for (int64_t extent : shape)
    text += (text.empty() ? "" : "x") + (extent < 0 ? std::string("?") : std::to_string(extent));
  return text;
}

std::string typeText(const Tensor &tensor) {
  std::string text =
      (tensor.shape().empty() ? std::string() : shapeText(tensor.shape()) + "x") + elementName(tensor.element());
  return tensor.sparseAxis < 0 ? text : text + " 2:4 along " + std::to_string(tensor.sparseAxis);
}

float roundTo(ElementType element, float value) {
  switch (element) {
  case ElementType::bf16:
    return fromBF16(toBF16(value));
  case ElementType::f16:
    return fromF16(toF16(value));
  case ElementType::f8e4m3:
    return fromF8E4M3(toF8E4M3(value));
  case ElementType::f8e5m2:
    return fromF8E5M2(toF8E5M2(value));
  default:
    return value;
  }
}

} // namespace winnow::interp
