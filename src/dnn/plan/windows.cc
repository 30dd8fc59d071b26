#include "dnn/plan/windows.h"

#include <algorithm>

namespace glimpse::dnn {

std::int64_t pooled_size(const Side& side, bool ceil) {
  const std::int64_t room = side.size + side.before + side.after - side.kernel;
  std::int64_t count = room / side.stride + 1;
  if (ceil && room % side.stride != 0 && count * side.stride < side.size + side.before) ++count;
  return count;
}

std::vector<Bin> window_bins(const Side& side, std::int64_t count, bool count_padding) {
  std::vector<Bin> bins;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t from = i * side.stride - side.before;
    const std::int64_t to = from + side.kernel;
    const std::int64_t begin = std::max<std::int64_t>(from, 0);
    const std::int64_t end = std::min(to, side.size);
    bins.push_back({begin, end, count_padding ? std::min(to, side.size + side.after) - from : end - begin});
  }
  return bins;
}

std::vector<Bin> adaptive_bins(std::int64_t in, std::int64_t out) {
  std::vector<Bin> bins;
  for (std::int64_t i = 0; i < out; ++i) {
    const std::int64_t begin = in * i / out;
    const std::int64_t end = (in * (i + 1) + out - 1) / out;
    bins.push_back({begin, end, end - begin});
  }
  return bins;
}

}  // namespace glimpse::dnn
