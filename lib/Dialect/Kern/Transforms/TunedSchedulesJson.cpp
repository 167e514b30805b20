//===- TunedSchedulesJson.cpp - the text form of tuned schedules --------------------------------------------------===//
//
// docs/tuning.md describes the format. Reading is strict: a key that is not known is an error, so that a slip of the
// hand does not silently mean something else.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "winnow/Dialect/Kern/Transforms/TunedSchedules.h"
#include "winnow/Target/Cuda/Layout.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

#include <cstdint>

using namespace winnow;
using namespace winnow::kern;
namespace json = llvm::json;

static constexpr rt::ElementType kElements[] = {rt::ElementType::f32, rt::ElementType::bf16, rt::ElementType::f16,
                                                rt::ElementType::f8e4m3, rt::ElementType::f8e5m2};
/// Nothing in a schedule comes near it, and products of a few such numbers do not overflow.
static constexpr int64_t kGreatestNumber = 65536;

static llvm::StringRef orderName(KOrder order) {
  switch (order) {
  case KOrder::rowMajor:
    return "row_major";
  case KOrder::padded:
    return "padded";
  case KOrder::strided:
    return "strided";
  }
  return "";
}

//===--------------------------------------------------------------------------------------------------------------===//
// Reading
//===--------------------------------------------------------------------------------------------------------------===//

namespace {
/// The members of one object, each of which must be asked for and be there.
class Members {
public:
  Members(const json::Value &value, json::Path path) : object(value.getAsObject()), path(path) {
    if (!object)
      fail(path, "expected an object");
  }
  bool ok() const { return good; }

  void read(llvm::StringLiteral name, std::string &out) {
    if (const json::Value *value = get(name))
      check(json::fromJSON(*value, out, path.field(name)));
  }
  void read(llvm::StringLiteral name, bool &out) {
    if (const json::Value *value = get(name))
      check(json::fromJSON(*value, out, path.field(name)));
  }
  void read(llvm::StringLiteral name, double &out) {
    if (const json::Value *value = get(name)) {
      check(json::fromJSON(*value, out, path.field(name)));
      if (good && !(out >= 0 && out <= 1e12))
        fail(path.field(name), "expected a time that is not negative");
    }
  }
  void read(llvm::StringLiteral name, rt::ElementType &out) {
    if (const json::Value *value = get(name)) {
      auto found = llvm::find_if(kElements, [&](rt::ElementType element) {
        return value->getAsString() == llvm::StringRef(rt::elementName(element));
      });
      if (found == std::end(kElements))
        return fail(path.field(name), "expected f32, bf16, f16, f8E4M3FN or f8E5M2");
      out = *found;
    }
  }
  void read(llvm::StringLiteral name, KOrder &out) {
    if (const json::Value *value = get(name)) {
      for (KOrder order : {KOrder::rowMajor, KOrder::padded, KOrder::strided})
        if (value->getAsString() == orderName(order))
          return void(out = order);
      fail(path.field(name), "expected row_major, padded or strided");
    }
  }
  /// A number of columns or rows, or "tokens".
  void readExtent(llvm::StringLiteral name, int64_t &out) {
    if (const json::Value *value = get(name)) {
      std::optional<int64_t> number = value->getAsInteger();
      if (value->getAsString() == llvm::StringRef("tokens"))
        out = cuda::kTokens;
      else if (number && *number >= 1 && *number <= INT32_MAX)
        out = *number;
      else
        fail(path.field(name), "expected an integer from 1 to 2147483647, or \"tokens\"");
    }
  }
  void readNumber(llvm::StringLiteral name, int64_t &out) {
    if (const json::Value *value = get(name))
      readNumber(*value, out, path.field(name));
  }
  /// Two numbers.
  void readPair(llvm::StringLiteral name, int64_t &first, int64_t &second, bool tokens) {
    const json::Value *value = get(name);
    if (!value)
      return;
    const json::Array *array = value->getAsArray();
    if (!array || array->size() != 2)
      return fail(path.field(name), "expected two integers");
    readNumber((*array)[0], first, path.field(name).index(0), tokens ? INT32_MAX : kGreatestNumber);
    readNumber((*array)[1], second, path.field(name).index(1), tokens ? INT32_MAX : kGreatestNumber);
    if (good && tokens && (first < 1 || first > second))
      fail(path.field(name), "expected the first and the last token count of a range");
  }
  template <typename Reader> void readObject(llvm::StringLiteral name, Reader reader) {
    if (const json::Value *value = get(name))
      check(reader(*value, path.field(name)));
  }
  bool has(llvm::StringLiteral name) const { return object && object->get(name); }
  /// Reports a member that nobody has asked for.
  bool finish() {
    if (good)
      for (const auto &member : *object)
        if (!llvm::is_contained(known, llvm::StringRef(member.first))) {
          fail(path.field(member.first), "unknown key");
          break;
        }
    return good;
  }

private:
  const json::Value *get(llvm::StringLiteral name) {
    known.push_back(name);
    if (!good)
      return nullptr;
    const json::Value *value = object->get(name);
    if (!value)
      fail(path.field(name), "missing key");
    return value;
  }
  void readNumber(const json::Value &value, int64_t &out, json::Path at, int64_t greatest = kGreatestNumber) {
    std::optional<int64_t> number = value.getAsInteger();
    if (!number || *number < 0 || *number > greatest)
      return fail(at, greatest == kGreatestNumber ? llvm::StringLiteral("expected an integer from 0 to 65536")
                                                  : llvm::StringLiteral("expected an integer from 1 to 2147483647"));
    out = *number;
  }
  void check(bool succeeded) { good &= succeeded; }
  void fail(json::Path at, llvm::StringLiteral message) {
    if (good)
      at.report(message);
    good = false;
  }

  const json::Object *object;
  json::Path path;
  bool good = true;
  llvm::SmallVector<llvm::StringRef> known;
};
} // namespace

static bool readProblem(const json::Value &value, TunedEntry &entry, json::Path path) {
  Members members(value, path);
  GemmProblem &problem = entry.problem;
  members.read("sparse", problem.sparse);
  members.read("lhs", problem.lhs);
  members.read("rhs", problem.rhs);
  members.read("out", problem.out);
  members.read("compress", problem.compress);
  members.readExtent("m", problem.m);
  members.readExtent("n", problem.n);
  members.readExtent("k", problem.k);
  if (dependsOnTokens(problem)) {
    TokenRange range;
    members.readPair("tokens", range.first, range.last, /*tokens=*/true);
    entry.tokens = range;
  }
  if (problem.sparse)
    members.readNumber("panel", problem.panel);
  else
    members.read("lhs_order", problem.lhsOrder);
  members.read("rhs_order", problem.rhsOrder);
  if (problem.compress)
    members.readNumber("out_panel", problem.outPanel);
  return members.finish();
}

static bool readSchedule(const json::Value &value, GemmSchedule &schedule, json::Path path) {
  Members members(value, path);
  schedule.family = Family::Wgmma;
  members.readPair("tile", schedule.tileM, schedule.tileN, /*tokens=*/false);
  members.readNumber("warpgroups", schedule.warpgroups);
  members.readNumber("stages", schedule.stages);
  members.readNumber("raster", schedule.raster);
  members.readNumber("pacing", schedule.pacing);
  if (members.has("split")) // absent in files written before it was there, and where nothing is cut
    members.readNumber("split", schedule.split);
  if (members.has("staged"))
    members.read("staged", schedule.staged);
  if (members.has("cluster"))
    members.readNumber("cluster", schedule.cluster);
  if (members.has("turns"))
    members.read("turns", schedule.turns);
  return members.finish();
}

static bool readMeasurement(const json::Value &value, TunedEntry &entry, json::Path path) {
  Members members(value, path);
  members.read("device", entry.device);
  members.read("us", entry.microseconds);
  members.read("model_us", entry.modelMicroseconds);
  members.read("date", entry.date);
  members.read("build", entry.build);
  return members.finish();
}

static bool readEntry(const json::Value &value, TunedEntry &entry, json::Path path) {
  Members members(value, path);
  members.read("chip", entry.chip);
  members.readObject("problem", [&](const json::Value &v, json::Path at) { return readProblem(v, entry, at); });
  members.readObject("schedule",
                     [&](const json::Value &v, json::Path at) { return readSchedule(v, entry.schedule, at); });
  members.readObject("measured", [&](const json::Value &v, json::Path at) { return readMeasurement(v, entry, at); });
  return members.finish();
}

static bool readEntries(const json::Object &root, std::vector<TunedEntry> &entries, json::Path path) {
  for (const auto &member : root)
    if (member.first != "version" && member.first != "entries") {
      path.field(member.first).report("unknown key");
      return false;
    }
  const json::Array *array = root.getArray("entries");
  if (!array) {
    path.field("entries").report("expected an array");
    return false;
  }
  for (size_t i = 0; i < array->size(); ++i) {
    TunedEntry entry;
    if (!readEntry((*array)[i], entry, path.field("entries").index(i)))
      return false;
    entries.push_back(std::move(entry));
  }
  return true;
}

Result<TunedSchedules> TunedSchedules::parse(std::string_view text, const std::string &name) {
  auto wrong = [&](const std::string &what) {
    return Error{name + " is no database of tuned schedules: " + what + " (docs/tuning.md has the format)"};
  };
  if (!json::isUTF8(text))
    return wrong("its text is not UTF-8");
  llvm::Expected<json::Value> value = json::parse(text);
  if (!value)
    return wrong(llvm::toString(value.takeError()));
  const json::Object *root = value->getAsObject();
  std::optional<int64_t> version = root ? root->getInteger("version") : std::nullopt;
  if (!version)
    return wrong("expected an object with the integer member \"version\"");
  if (*version != kVersion)
    return Error{name + " has version " + std::to_string(*version) + " of the database of tuned schedules, expected " +
                 std::to_string(kVersion) + ": another Winnow has written it; tune again with this one"};
  json::Path::Root position("$");
  std::vector<TunedEntry> entries;
  if (!readEntries(*root, entries, position))
    return wrong(llvm::toString(position.getError()));
  TunedSchedules schedules;
  for (TunedEntry &entry : entries)
    schedules.put(std::move(entry));
  return schedules;
}

//===--------------------------------------------------------------------------------------------------------------===//
// Writing
//===--------------------------------------------------------------------------------------------------------------===//

static json::Value extentValue(int64_t extent) {
  return extent == cuda::kTokens ? json::Value("tokens") : json::Value(extent);
}

static void writeProblem(json::OStream &out, const TunedEntry &entry) {
  const GemmProblem &problem = entry.problem;
  out.attribute("sparse", problem.sparse);
  out.attribute("lhs", rt::elementName(problem.lhs));
  out.attribute("rhs", rt::elementName(problem.rhs));
  out.attribute("out", rt::elementName(problem.out));
  out.attribute("compress", problem.compress);
  out.attribute("m", extentValue(problem.m));
  out.attribute("n", extentValue(problem.n));
  out.attribute("k", extentValue(problem.k));
  if (entry.tokens)
    out.attribute("tokens", json::Array{entry.tokens->first, entry.tokens->last});
  if (problem.sparse)
    out.attribute("panel", problem.panel);
  else
    out.attribute("lhs_order", orderName(problem.lhsOrder));
  out.attribute("rhs_order", orderName(problem.rhsOrder));
  if (problem.compress)
    out.attribute("out_panel", problem.outPanel);
}

static void writeEntry(json::OStream &out, const TunedEntry &entry) {
  auto microseconds = [&](llvm::StringRef name, double value) {
    out.attributeBegin(name);
    out.rawValue(llvm::formatv("{0:f2}", value).str());
    out.attributeEnd();
  };
  out.object([&] {
    out.attribute("chip", entry.chip);
    out.attributeObject("problem", [&] { writeProblem(out, entry); });
    out.attributeObject("schedule", [&] {
      out.attribute("tile", json::Array{entry.schedule.tileM, entry.schedule.tileN});
      out.attribute("warpgroups", entry.schedule.warpgroups);
      out.attribute("stages", entry.schedule.stages);
      out.attribute("raster", entry.schedule.raster);
      out.attribute("pacing", entry.schedule.pacing);
      if (entry.schedule.split != 0)
        out.attribute("split", entry.schedule.split);
      if (entry.schedule.staged)
        out.attribute("staged", true);
      if (entry.schedule.cluster != 0)
        out.attribute("cluster", entry.schedule.cluster);
      if (entry.schedule.turns)
        out.attribute("turns", true);
    });
    out.attributeObject("measured", [&] {
      out.attribute("device", json::fixUTF8(entry.device));
      microseconds("us", entry.microseconds);
      microseconds("model_us", entry.modelMicroseconds);
      out.attribute("date", entry.date);
      out.attribute("build", entry.build);
    });
  });
}

std::string TunedSchedules::print() const {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << "{\"version\": " << kVersion << ", \"entries\": [\n";
  for (size_t i = 0; i < all.size(); ++i) {
    json::OStream out(os);
    writeEntry(out, all[i]);
    out.flush();
    os << (i + 1 < all.size() ? ",\n" : "\n");
  }
  os << "]}\n";
  return text;
}
