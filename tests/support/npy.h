/// Reads the NumPy arrays that golden outputs come as: version 1.0 of the format, little-endian f32, C order. Anything
/// else throws.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <sstream>
#include <stdexcept>
#include <string>

#include "core/file.h"
#include "core/tensor.h"

namespace glimpse::testing {

inline Tensor read_npy(const std::filesystem::path& path) {
  constexpr std::size_t kMaxBytes = std::size_t{1} << 30;
  constexpr std::size_t kPreamble = 10;  // magic, version, length of the header
  const std::string bytes = read_file(path, kMaxBytes);
  const auto fail = [&](const std::string& what) { throw std::runtime_error(path.string() + ": " + what); };
  if (bytes.size() < kPreamble || bytes.compare(0, 8, std::string("\x93NUMPY\x01\x00", 8)) != 0) fail("not .npy 1.0");
  const std::size_t header_size = static_cast<std::uint8_t>(bytes[8]) + 256U * static_cast<std::uint8_t>(bytes[9]);
  const std::string header = bytes.substr(kPreamble, header_size);
  if (header.find("'descr': '<f4'") == std::string::npos) fail("not f32");
  if (header.find("'fortran_order': False") == std::string::npos) fail("not in C order");
  const std::size_t open = header.find('(');
  const std::size_t close = header.find(')', open);
  if (close == std::string::npos) fail("no shape");
  std::istringstream dims(header.substr(open + 1, close - open - 1));
  Shape shape;
  for (std::int64_t dim = 0; dims >> dim;) {
    shape.push_back(dim);
    dims.ignore(1, ',');
  }
  Tensor tensor(shape);
  const std::size_t data = kPreamble + header_size;
  if (bytes.size() - data != tensor.view().bytes()) fail("wrong size for shape " + to_string(shape));
  std::memcpy(tensor.data(), bytes.data() + data, tensor.view().bytes());
  return tensor;
}

}  // namespace glimpse::testing
