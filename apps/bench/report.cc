#include "bench/report.h"

#include <algorithm>

namespace glimpse::apps {

double median(Samples samples) {
  const auto middle = samples.begin() + static_cast<std::ptrdiff_t>(samples.size() / 2);
  std::nth_element(samples.begin(), middle, samples.end());
  return *middle;
}

double fastest(const Samples& samples) { return *std::min_element(samples.begin(), samples.end()); }

}  // namespace glimpse::apps
