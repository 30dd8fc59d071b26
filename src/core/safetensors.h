/// The safetensors file format (huggingface/safetensors, format description): an 8-byte little-endian header size, a
/// JSON header, then the tensors' bytes. The reader maps the file and checks everything a hostile file could get wrong
/// before anything is allocated for it: header size, JSON nesting and types, element types, shapes (overflow too),
/// offsets (order, overlap, gaps, the file's end).
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/file.h"
#include "core/tensor.h"

namespace glimpse {

/// A mapped safetensors file: name → view. Const once open; views live as long as it does.
class Weights {
 public:
  /// Throws Error: kMissing, kPermission, kIo for the file; kModel, naming file and tensor, for what is in it.
  explicit Weights(const std::filesystem::path& path);

  /// Weights held in memory instead, for tests and benchmarks; `label` stands for the file name in messages.
  Weights(std::string label, std::map<std::string, Tensor, std::less<>> tensors);

  const std::filesystem::path& path() const { return path_; }
  const std::map<std::string, TensorView, std::less<>>& tensors() const { return tensors_; }
  const std::map<std::string, std::string, std::less<>>& metadata() const { return metadata_; }

  bool contains(std::string_view name) const { return tensors_.find(name) != tensors_.end(); }
  /// Throws Error(kModel) naming the file, the tensor and the nearest name there is.
  const TensorView& at(std::string_view name) const;
  /// `at`, converted to floats, of exactly `shape`, every value finite; throws Error(kModel) otherwise.
  Tensor load(std::string_view name, const Shape& shape) const;

 private:
  std::filesystem::path path_;
  std::optional<MappedFile> file_;
  std::map<std::string, Tensor, std::less<>> owned_;
  std::map<std::string, TensorView, std::less<>> tensors_;
  std::map<std::string, std::string, std::less<>> metadata_;
};

struct NamedTensor {
  std::string name;
  TensorView tensor;
};

/// Writes tensors in the given order, each 64-byte aligned, and metadata; atomically. The same input gives the same
/// bytes. Throws Error(kIo, kPermission) for the file, Error(kUsage) for a name given twice.
void write_safetensors(const std::filesystem::path& path, const std::vector<NamedTensor>& tensors,
                       const std::map<std::string, std::string, std::less<>>& metadata);

}  // namespace glimpse
