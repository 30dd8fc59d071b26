#include "model/half_tensors.h"

#include <cmath>
#include <cstdint>
#include <vector>

#include "core/error.h"

namespace glimpse {

void write_half_tensors(const std::map<std::string, TensorView, std::less<>>& tensors,
                        const std::map<std::string, std::string, std::less<>>& metadata,
                        const std::filesystem::path& path) {
  std::vector<std::vector<std::uint16_t>> halves;
  std::vector<NamedTensor> named;
  for (const auto& [name, view] : tensors) {
    if (view.dtype != DType::kF32) {
      named.push_back({name, view});
      continue;
    }
    const Tensor full = to_float(view);
    std::vector<std::uint16_t>& half = halves.emplace_back();
    for (const float value : full.values()) {
      half.push_back(float_to_f16(value));
      if (std::isfinite(f16_to_float(half.back()))) continue;
      throw Error(ErrorCode::kModel,
                  "the tensor " + quote(name) + " has the value " + std::to_string(value) + ", which F16 cannot hold");
    }
    named.push_back({name, {reinterpret_cast<const std::byte*>(half.data()), DType::kF16, view.shape}});
  }
  write_safetensors(path, named, metadata);
}

}  // namespace glimpse
