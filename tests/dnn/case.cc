#include "dnn/case.h"
#include "support/activations.h"

#include <sstream>
#include <stdexcept>

namespace glimpse::dnn::testing {

Case::Case(const std::string& line) : line_(line) {
  std::istringstream words(line);
  words >> what_;
  for (std::string option; words >> option;) {
    const std::size_t equals = option.find('=');
    if (equals == std::string::npos) throw std::invalid_argument("no '=' in " + option + " of case: " + line);
    options_[option.substr(0, equals)] = option.substr(equals + 1);
  }
}

std::vector<std::int64_t> Case::numbers(const std::string& key, std::vector<std::int64_t> standard) const {
  const auto found = options_.find(key);
  if (found == options_.end()) return standard;
  std::vector<std::int64_t> values;
  std::istringstream parts(found->second);
  for (std::string part; std::getline(parts, part, ',');) values.push_back(std::stoll(part));
  return values;
}

std::int64_t Case::number(const std::string& key, std::int64_t standard) const { return numbers(key, {standard})[0]; }

std::string Case::word(const std::string& key, const std::string& standard) const {
  const auto found = options_.find(key);
  return found == options_.end() ? standard : found->second;
}

Shape Case::shape() const { return {number("n", 1), number("c", 1), number("h", 1), number("w", 1)}; }

Padding Case::padding() const {
  const std::vector<std::int64_t> p = numbers("p", {0});
  if (p.size() == 1) return {p[0], p[0], p[0], p[0]};
  return {p.at(0), p.at(1), p.at(2), p.at(3)};
}

Activation Case::activation() const {
  const std::string name = word("act", "none");
  for (const auto& row : glimpse::testing::kReferenceActivations) {
    if (row.name == name) return row.activation;
  }
  throw std::out_of_range("no activation is called " + name);
}

ConvolutionOptions Case::convolution() const {
  const std::vector<std::int64_t> s = numbers("s", {1, 1});
  const std::vector<std::int64_t> d = numbers("d", {1, 1});
  return {{s.at(0), s.at(1)}, {d.at(0), d.at(1)}, padding(), number("g", 1), activation()};
}

PoolingOptions Case::pooling() const {
  using Kind = PoolingOptions::Kind;
  static const std::map<std::string, Kind> kKinds = {
      {"max", Kind::kMax}, {"exclude", Kind::kAverageExcludingPadding}, {"include", Kind::kAverageIncludingPadding}};
  const std::vector<std::int64_t> k = numbers("k", {2, 2});
  const std::vector<std::int64_t> s = numbers("s", {2, 2});
  return {kKinds.at(word("kind", "max")), {k.at(0), k.at(1)}, {s.at(0), s.at(1)}, padding(), number("ceil", 0) != 0};
}

}  // namespace glimpse::dnn::testing
