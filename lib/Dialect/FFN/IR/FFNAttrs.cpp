//===- FFNAttrs.cpp - sparsity annotations ------------------------------------------------------------------------===//

#include "winnow/Dialect/FFN/IR/FFN.h"

#include "llvm/Support/Format.h"

using namespace mlir;
using namespace winnow::ffn;

/// A number as a person would write it; diagnostics print doubles with an exponent.
static std::string numberText(double value) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%g", value);
  return text;
}

/// A profile longer than this is printed as a tensor, whose bytes MLIR writes in hexadecimal.
static constexpr size_t kLongestList = 16;

/// A profile as a list of numbers, or as a dense tensor of rank 1.
static FailureOr<DenseF32ArrayAttr> parseProfile(AsmParser &parser) {
  SmallVector<float> densities;
  auto parseDensity = [&]() -> ParseResult {
    double value;
    if (parser.parseFloat(value))
      return failure();
    densities.push_back(static_cast<float>(value));
    return success();
  };
  if (succeeded(parser.parseOptionalLSquare())) {
    if (failed(parser.parseOptionalRSquare()) &&
        (parser.parseCommaSeparatedList(parseDensity) || parser.parseRSquare()))
      return failure();
    return DenseF32ArrayAttr::get(parser.getContext(), densities);
  }
  llvm::SMLoc location = parser.getCurrentLocation();
  Attribute attribute;
  if (parser.parseAttribute(attribute))
    return failure();
  auto tensor = dyn_cast<DenseFPElementsAttr>(attribute);
  if (!tensor || tensor.getType().getRank() != 1) {
    parser.emitError(location)
        << "profile expects a list of numbers or a dense tensor of them of rank 1, got attribute " << attribute;
    return failure();
  }
  for (APFloat value : tensor.getValues<APFloat>()) {
    bool losesInfo;
    value.convert(APFloat::IEEEsingle(), APFloat::rmNearestTiesToEven, &losesInfo);
    densities.push_back(value.convertToFloat());
  }
  return DenseF32ArrayAttr::get(parser.getContext(), densities);
}

/// Short ones as a list; long ones as a tensor of f16 where that loses nothing, else of f32.
static void printProfile(AsmPrinter &printer, DenseF32ArrayAttr profile) {
  ArrayRef<float> densities = profile.asArrayRef();
  if (densities.size() <= kLongestList) {
    printer << "[";
    llvm::interleaveComma(densities, printer.getStream(), [&](float value) { printer.printFloat(APFloat(value)); });
    printer << "]";
    return;
  }
  SmallVector<APFloat> narrow, wide;
  bool exact = true;
  for (float value : densities) {
    APFloat half(value);
    bool losesInfo;
    half.convert(APFloat::IEEEhalf(), APFloat::rmNearestTiesToEven, &losesInfo);
    exact &= !losesInfo;
    narrow.push_back(half);
    wide.emplace_back(value);
  }
  Builder builder(profile.getContext());
  auto type = RankedTensorType::get(static_cast<int64_t>(densities.size()),
                                    exact ? Type(builder.getF16Type()) : Type(builder.getF32Type()));
  printer << DenseElementsAttr::get(type, exact ? narrow : wide);
}

Attribute SparsityAttr::parse(AsmParser &parser, Type) {
  std::optional<double> density, maxDrop;
  DenseF32ArrayAttr profile;
  llvm::SMLoc location = parser.getCurrentLocation();
  auto parseField = [&]() -> ParseResult {
    StringRef key;
    llvm::SMLoc keyLocation = parser.getCurrentLocation();
    if (parser.parseKeyword(&key) || parser.parseEqual())
      return failure();
    auto parseNumber = [&](std::optional<double> &field) -> ParseResult {
      if (field)
        return parser.emitError(keyLocation) << "'" << key << "' is given twice";
      double value;
      if (parser.parseFloat(value))
        return failure();
      field = value;
      return success();
    };
    if (key == "density")
      return parseNumber(density);
    if (key == "max_drop")
      return parseNumber(maxDrop);
    if (key == "profile") {
      if (profile)
        return parser.emitError(keyLocation) << "'" << key << "' is given twice";
      FailureOr<DenseF32ArrayAttr> parsed = parseProfile(parser);
      if (failed(parsed))
        return failure();
      profile = *parsed;
      return success();
    }
    return parser.emitError(keyLocation) << "expected 'density', 'max_drop' or 'profile', got '" << key << "'";
  };
  if (parser.parseCommaSeparatedList(AsmParser::Delimiter::LessGreater, parseField))
    return {};
  if (!density) {
    parser.emitError(location) << "#ffn.sparsity expects a density";
    return {};
  }
  return SparsityAttr::getChecked([&] { return parser.emitError(location); }, parser.getContext(), APFloat(*density),
                                  APFloat(maxDrop.value_or(0.0)), profile);
}

void SparsityAttr::print(AsmPrinter &printer) const {
  printer << "<density = ";
  printer.printFloat(APFloat(getDensity()));
  if (getMaxDrop() != 0.0) {
    printer << ", max_drop = ";
    printer.printFloat(APFloat(getMaxDrop()));
  }
  if (getProfile()) {
    printer << ", profile = ";
    printProfile(printer, getProfile());
  }
  printer << ">";
}

LogicalResult SparsityAttr::verify(llvm::function_ref<InFlightDiagnostic()> emitError, APFloat densityValue,
                                   APFloat maxDropValue, DenseF32ArrayAttr profile) {
  double density = densityValue.convertToDouble(), maxDrop = maxDropValue.convertToDouble();
  auto isFraction = [](double x) { return x >= 0.0 && x <= 1.0; }; // false for NaN
  if (!isFraction(density))                                        // A1
    return emitError() << "density expects a number in [0, 1], got " << numberText(density);
  if (!isFraction(maxDrop)) // A2
    return emitError() << "max_drop expects a number in [0, 1], got " << numberText(maxDrop);
  if (profile)
    for (auto [feature, value] : llvm::enumerate(profile.asArrayRef()))
      if (!isFraction(value)) // A3
        return emitError() << "sparsity profile expects numbers in [0, 1], got " << numberText(value) << " for feature "
                           << feature;
  return success();
}
