/// Summarises and prints measurements.
#pragma once

#include <cstdio>
#include <string>
#include <vector>

namespace glimpse::apps {

/// The time that one step took in every round; at least one.
using Samples = std::vector<double>;

double median(Samples samples);  ///< of an even number the upper of the two in the middle
double fastest(const Samples& samples);

/// As printf formats it, and a line break.
std::string line(const char* format, auto... values) {
  std::string text(static_cast<std::size_t>(std::snprintf(nullptr, 0, format, values...)), '\0');
  std::snprintf(text.data(), text.size() + 1, format, values...);
  return text + '\n';
}

}  // namespace glimpse::apps
