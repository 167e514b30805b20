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
      SmallVector<float> densities;
      auto parseDensity = [&]() -> ParseResult {
        double value;
        if (parser.parseFloat(value))
          return failure();
        densities.push_back(static_cast<float>(value));
        return success();
      };
      if (parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, parseDensity))
        return failure();
      profile = DenseF32ArrayAttr::get(parser.getContext(), densities);
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
    printer << ", profile = [";
    llvm::interleaveComma(getProfile().asArrayRef(), printer.getStream(),
                          [&](float value) { printer.printFloat(APFloat(value)); });
    printer << "]";
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
