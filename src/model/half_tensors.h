/// Writes tensors as F16.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "core/safetensors.h"

namespace glimpse {

/// As write_safetensors, every tensor of f32 as F16; what F16 cannot hold is an Error(kModel) that names the tensor.
void write_half_tensors(const std::map<std::string, TensorView, std::less<>>& tensors,
                        const std::map<std::string, std::string, std::less<>>& metadata,
                        const std::filesystem::path& path);

}  // namespace glimpse
