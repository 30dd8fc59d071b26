#include <benchmark/benchmark.h>

#include <filesystem>

#include "core/file.h"
#include "image/image.h"
#include "pipeline/captioner.h"

namespace glimpse {
namespace {

/// The stages of one caption with the default model, in one run: where the time goes.
struct Fixture {
  Fixture() : captioner(Model::load(std::filesystem::path(GLIMPSE_SOURCE_DIR) / "models/glimpse-base.safetensors")) {
    for (const auto& entry :
         std::filesystem::directory_iterator(std::filesystem::path(GLIMPSE_SOURCE_DIR) / "assets/photos")) {
      if (entry.path().extension() == ".jpg") jpeg = std::max(jpeg, entry.path());
    }
    bytes = read_file(jpeg, std::size_t{64} << 20);
  }
  Image decode() const {
    LoadOptions options;
    options.min_width = captioner.config().input.width;
    options.min_height = captioner.config().input.height;
    return decode_image(std::as_bytes(std::span(bytes)), jpeg.native(), options);
  }
  Captioner captioner;
  std::filesystem::path jpeg;
  std::string bytes;
};

const Fixture& fixture() {
  static const Fixture instance;
  return instance;
}

void decode_jpeg(benchmark::State& state) {
  for (auto unused : state) benchmark::DoNotOptimize(fixture().decode().pixels.data());
}
BENCHMARK(decode_jpeg)->Unit(benchmark::kMillisecond);

void resize_and_normalise(benchmark::State& state) {
  const Image image = fixture().decode();
  const Preprocess& input = fixture().captioner.config().input;
  std::vector<float> dst(static_cast<std::size_t>(3 * input.width * input.height));
  for (auto unused : state) benchmark::DoNotOptimize(to_input(image, input, dst));
}
BENCHMARK(resize_and_normalise)->Unit(benchmark::kMillisecond);

void encode(benchmark::State& state) {
  dnn::Session session(fixture().captioner.encoder());
  std::fill(session.input().begin(), session.input().end(), 0.5F);
  for (auto unused : state) session.run();
}
BENCHMARK(encode)->Unit(benchmark::kMillisecond)->UseRealTime();

void whole_caption(benchmark::State& state) {
  CaptionOptions options;
  options.search.beam = static_cast<int>(state.range(0));
  CaptionSession session(fixture().captioner, options);
  const Image image = fixture().decode();
  for (auto unused : state) benchmark::DoNotOptimize(session.caption(image));
}
BENCHMARK(whole_caption)->Arg(1)->Arg(3)->Arg(5)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace glimpse
