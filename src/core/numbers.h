/// Formats numbers for people.
#pragma once

#include <string>

namespace glimpse {

/// Half away from zero; zero has no sign.
double rounded(double value, int decimals);

/// With that many digits after the point.
std::string fixed(double value, int decimals);

/// With at most four digits that count, and none that are needless: 0.7, 2.338, 1e-05.
std::string in_short(double value);

}  // namespace glimpse
