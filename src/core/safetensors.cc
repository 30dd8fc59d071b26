#include "core/safetensors.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <set>
#include <utility>

#include "core/error.h"
#include "core/json.h"
#include "core/text.h"

namespace glimpse {
namespace {

static_assert(std::endian::native == std::endian::little,
              "safetensors is little-endian, and so are the views given out");

constexpr std::size_t kSizeBytes = 8;
constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;  // the reference implementation's limit
constexpr std::size_t kMaxRank = 8;
constexpr std::size_t kAlignment = 64;
constexpr std::string_view kMetadataKey = "__metadata__";

class HeaderReader {
 public:
  HeaderReader(const std::filesystem::path& path, std::span<const std::byte> bytes) : path_(path), bytes_(bytes) {}

  void read(std::map<std::string, TensorView, std::less<>>& tensors,
            std::map<std::string, std::string, std::less<>>& metadata) {
    const Json header = parse_header();
    std::vector<Extent> extents;
    std::set<std::string_view> names;
    for (const auto& [name, entry] : header.members()) {
      if (!names.insert(name).second) fail("tensor " + quote(name) + " stands in the header twice");
      if (name == kMetadataKey) {
        read_metadata(entry, metadata);
      } else {
        tensors.emplace(name, read_tensor(name, entry, extents));
      }
    }
    check_extents(extents);
  }

 private:
  struct Extent {
    std::uint64_t begin;
    std::uint64_t end;
    std::string name;
  };

  [[noreturn]] void fail(const std::string& what) const {
    throw Error(ErrorCode::kModel, quote(path_.native()) + " is not a valid safetensors file: " + what);
  }

  Json parse_header() {
    constexpr int kDeepest = 4;
    if (bytes_.size() < kSizeBytes) fail(std::to_string(bytes_.size()) + " bytes are too few for a header");
    std::uint64_t size = 0;
    std::memcpy(&size, bytes_.data(), kSizeBytes);
    if (size > kMaxHeaderBytes || size > bytes_.size() - kSizeBytes) {
      fail("its header claims " + std::to_string(size) + " bytes, the file has " + std::to_string(bytes_.size()) +
           " (truncated?)");
    }
    const auto* begin = reinterpret_cast<const char*>(bytes_.data()) + kSizeBytes;
    data_ = bytes_.subspan(kSizeBytes + size);
    JsonFault fault;
    std::optional<Json> header = parse_json({begin, size}, kDeepest, fault);
    if (!header && fault.kind == JsonFault::Kind::kDepth) fail("its header is nested too deeply");
    if (!header) fail("its header is not JSON (byte " + std::to_string(fault.byte) + ")");
    if (!header->is_object()) fail("its header is not a JSON object");
    return *std::move(header);
  }

  void read_metadata(const Json& entry, std::map<std::string, std::string, std::less<>>& metadata) const {
    if (!entry.is_object()) fail("__metadata__ is not an object");
    for (const auto& [key, value] : entry.members()) {
      const auto text = value.get<std::string>();
      if (!text) fail("__metadata__ " + quote(key) + " is not a string");
      metadata[key] = *text;
    }
  }

  TensorView read_tensor(const std::string& name, const Json& entry, std::vector<Extent>& extents) const {
    const std::string what = "tensor " + quote(name) + ": ";
    if (!entry.is_object()) fail(what + "its entry is not an object");
    const auto dtype = entry.at("dtype").get<std::string>();
    if (!dtype) fail(what + "no dtype");
    if (!entry.at("shape").is_list()) fail(what + "no shape");
    const auto offsets = entry.at("data_offsets").get<std::vector<std::uint64_t>>();
    if (!offsets || offsets->size() != 2) fail(what + "data_offsets are not two whole numbers");
    TensorView view;
    const std::optional<DType> type = parse_dtype(*dtype);
    if (!type) fail(what + "dtype " + quote(*dtype) + " is not supported");
    view.dtype = *type;
    const std::uint64_t bytes = read_shape(what, entry.at("shape"), size_of(*type), view.shape);

    const std::uint64_t begin = offsets->front();
    const std::uint64_t end = offsets->back();
    if (begin > end || end > data_.size()) {
      fail(what + "its bytes " + std::to_string(begin) + ".." + std::to_string(end) + " lie outside the file's " +
           std::to_string(data_.size()) + " data bytes (truncated?)");
    }
    if (end - begin != bytes) {
      fail(what + "shape " + glimpse::to_string(view.shape) + " of " + std::string(glimpse::to_string(*type)) +
           " takes " + std::to_string(bytes) + " bytes, its offsets give " + std::to_string(end - begin));
    }
    view.data = data_.data() + begin;
    if (begin != end) extents.push_back({begin, end, name});
    return view;
  }

  /// Fills `shape`; the byte count comes back, checked against overflow.
  std::uint64_t read_shape(const std::string& what, const Json& json, std::uint64_t element_bytes, Shape& shape) const {
    constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (json.items().size() > kMaxRank) fail(what + "more than " + std::to_string(kMaxRank) + " dimensions");
    std::uint64_t bytes = element_bytes;
    for (const Json& dim : json.items()) {
      const auto size = dim.get<std::uint64_t>();
      if (!size) fail(what + "a dimension is not a whole number");
      if (*size > kMax || (*size != 0 && bytes > kMax / *size)) fail(what + "its shape overflows");
      bytes *= *size;
      shape.push_back(static_cast<std::int64_t>(*size));
    }
    return bytes;
  }

  void check_extents(std::vector<Extent>& extents) const {
    std::sort(extents.begin(), extents.end(), [](const Extent& a, const Extent& b) { return a.begin < b.begin; });
    for (std::size_t i = 1; i < extents.size(); ++i) {
      if (extents[i].begin < extents[i - 1].end) {
        fail("tensors " + quote(extents[i - 1].name) + " and " + quote(extents[i].name) + " overlap");
      }
    }
  }

  const std::filesystem::path& path_;
  std::span<const std::byte> bytes_;
  std::span<const std::byte> data_;
};

std::string nearest_hint(std::string_view name, const std::map<std::string, TensorView, std::less<>>& tensors) {
  std::vector<std::string_view> names;
  for (const auto& entry : tensors) names.push_back(entry.first);
  const std::string_view near = nearest(name, names);
  return near.empty() ? std::string() : " (there is " + quote(near) + ")";
}

}  // namespace

Weights::Weights(const std::filesystem::path& path) : path_(path), file_(path) {
  HeaderReader(path_, file_->bytes()).read(tensors_, metadata_);
}

Weights::Weights(std::string label, std::map<std::string, Tensor, std::less<>> tensors)
    : path_(std::move(label)), owned_(std::move(tensors)) {
  for (const auto& [name, tensor] : owned_) tensors_.emplace(name, tensor.view());
}

const TensorView& Weights::at(std::string_view name) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) {
    throw Error(ErrorCode::kModel,
                quote(path_.native()) + " has no tensor " + quote(name) + nearest_hint(name, tensors_));
  }
  return found->second;
}

Tensor Weights::load(std::string_view name, const Shape& shape) const {
  const TensorView& view = at(name);
  if (view.shape != shape) {
    throw Error(ErrorCode::kModel, quote(path_.native()) + ": tensor " + quote(name) + " has shape " +
                                       to_string(view.shape) + ", the model needs " + to_string(shape));
  }
  Tensor tensor = to_float(view);
  // A sum is NaN or infinite if any term is, and vectorises; only then is the culprit looked for. (Finite terms cannot
  // overflow a double.)
  double sum = 0;
  for (const float value : tensor.values()) sum += value;
  if (!std::isfinite(sum)) {
    const std::span<const float> values = std::as_const(tensor).values();
    const auto bad = std::find_if(values.begin(), values.end(), [](float v) { return !std::isfinite(v); });
    throw Error(ErrorCode::kModel, quote(path_.native()) + ": tensor " + quote(name) + " holds " +
                                       std::to_string(*bad) + " at element " + std::to_string(bad - values.begin()) +
                                       "; weights must be finite");
  }
  return tensor;
}

void write_safetensors(const std::filesystem::path& path, const std::vector<NamedTensor>& tensors,
                       const std::map<std::string, std::string, std::less<>>& metadata) {
  Json header = Json::object();
  if (!metadata.empty()) {
    Json& entry = header[kMetadataKey];
    for (const auto& [key, value] : metadata) entry[key] = value;
  }
  std::size_t offset = 0;
  for (const auto& [name, tensor] : tensors) {
    if (header.find(name) != nullptr) throw Error(ErrorCode::kUsage, "tensor " + quote(name) + " was given twice");
    const std::size_t end = offset + tensor.bytes();
    header[name] = {{"dtype", to_string(tensor.dtype)},
                    {"shape", Json::list(tensor.shape)},
                    {"data_offsets", Json::list({offset, end})}};
    offset = end;
  }
  std::string text = header.dump();
  text.append((kAlignment - (kSizeBytes + text.size()) % kAlignment) % kAlignment, ' ');
  write_atomically(path, [&](std::ostream& stream) {
    const auto size = static_cast<std::uint64_t>(text.size());
    stream.write(reinterpret_cast<const char*>(&size), kSizeBytes);
    stream.write(text.data(), static_cast<std::streamsize>(text.size()));
    for (const NamedTensor& entry : tensors) {
      stream.write(reinterpret_cast<const char*>(entry.tensor.data),
                   static_cast<std::streamsize>(entry.tensor.bytes()));
    }
  });
}

}  // namespace glimpse
