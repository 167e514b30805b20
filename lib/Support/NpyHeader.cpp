//===- NpyHeader.cpp - the Python dictionary at the head of a .npy file -------------------------------------------===//

#include "NpyHeader.h"

#include <cctype>

namespace winnow {
namespace {

class Parser {
public:
  explicit Parser(std::string_view text) : text(text) {}

  Result<NpyHeader> parse() {
    NpyHeader header;
    bool seen[3] = {};
    if (!take('{'))
      return unexpected("'{'");
    while (!take('}')) {
      std::string key;
      if (!takeString(key) || !take(':'))
        return unexpected("a quoted key and ':'");
      int index = key == "descr" ? 0 : key == "fortran_order" ? 1 : key == "shape" ? 2 : -1;
      if (index < 0)
        return Error{"header expects the keys 'descr', 'fortran_order' and 'shape', got '" + key + "'"};
      if (seen[index])
        return Error{"header has the key '" + key + "' twice"};
      seen[index] = true;
      if (index == 0 && !takeString(header.descr))
        return Error{"header expects a plain element type such as '<f4' (structured types are not read)"};
      if (index == 1 && !takeBool(header.fortranOrder))
        return unexpected("True or False");
      if (index == 2 && !takeShape(header.shape))
        return unexpected("a tuple of extents from 0 to 2^48");
      if (!take(',') && peek() != '}')
        return unexpected("',' or '}'");
    }
    skipSpace();
    if (position != text.size())
      return unexpected("nothing more");
    for (int index = 0; index < 3; ++index)
      if (!seen[index])
        return Error{std::string("header lacks the key '") +
                     (index == 0   ? "descr"
                      : index == 1 ? "fortran_order"
                                   : "shape") +
                     "'"};
    return header;
  }

private:
  Error unexpected(const char *expected) const {
    return Error{std::string("header expects ") + expected + " at character " + std::to_string(position)};
  }

  void skipSpace() {
    while (position < text.size() && std::isspace(static_cast<unsigned char>(text[position])))
      ++position;
  }

  char peek() {
    skipSpace();
    return position < text.size() ? text[position] : '\0';
  }

  bool take(char c) {
    if (peek() != c || position >= text.size())
      return false;
    ++position;
    return true;
  }

  bool takeString(std::string &out) {
    char quote = peek();
    if (quote != '\'' && quote != '"')
      return false;
    size_t end = text.find(quote, position + 1);
    if (end == std::string_view::npos)
      return false;
    out = text.substr(position + 1, end - position - 1);
    position = end + 1;
    return true;
  }

  bool takeBool(bool &out) {
    peek();
    for (bool value : {false, true}) {
      std::string_view word = value ? "True" : "False";
      if (text.substr(position, word.size()) != word)
        continue;
      position += word.size();
      out = value;
      return true;
    }
    return false;
  }

  bool takeShape(std::vector<int64_t> &out) {
    if (!take('('))
      return false;
    while (!take(')')) {
      int64_t extent = 0;
      if (!std::isdigit(static_cast<unsigned char>(peek())))
        return false;
      while (position < text.size() && std::isdigit(static_cast<unsigned char>(text[position]))) {
        extent = extent * 10 + (text[position++] - '0');
        if (extent > int64_t(1) << 48)
          return false;
      }
      out.push_back(extent);
      if (!take(',') && peek() != ')')
        return false;
    }
    return true;
  }

  std::string_view text;
  size_t position = 0;
};

} // namespace

Result<NpyHeader> parseNpyHeader(std::string_view text) { return Parser(text).parse(); }

} // namespace winnow
