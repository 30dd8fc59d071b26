// No decoding step, with the search's work after it, asks malloc for 4 KiB or more. This program replaces malloc, so it
// is one of its own.

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstddef>

#include "decoder/decoder.h"
#include "dnn/products/linear.h"
#include "random_decoder.h"
#include "search/search.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__GLIBC__)
#define GLIMPSE_MALLOC_IS_TAKEN 1
#endif

namespace {

constexpr std::size_t kLarge = 4096;
std::atomic<bool> g_counting = false;
std::atomic<int> g_large = 0;

[[maybe_unused]] void count(std::size_t size) {
  if (size >= kLarge && g_counting.load(std::memory_order_relaxed)) g_large.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace

#ifndef GLIMPSE_MALLOC_IS_TAKEN
// glibc's own, under the names it keeps for programs that replace them.
extern "C" {
// NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming)
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* block, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);
// NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming)

void* malloc(std::size_t size) {
  count(size);
  return __libc_malloc(size);
}
void* calloc(std::size_t items, std::size_t size) {
  count(items * size);
  return __libc_calloc(items, size);
}
void* realloc(void* block, std::size_t size) {
  count(size);
  return __libc_realloc(block, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) {
  count(size);
  return __libc_memalign(alignment, size);
}
void* memalign(std::size_t alignment, std::size_t size) { return aligned_alloc(alignment, size); }
int posix_memalign(void** block, std::size_t alignment, std::size_t size) {
  *block = aligned_alloc(alignment, size);
  return *block == nullptr ? ENOMEM : 0;
}
}
#endif

namespace glimpse {
namespace {

/// Counts from the first step's start to the last step's end, so that it sees what the search does in between.
class CountingModel : public search::StepModel {
 public:
  explicit CountingModel(DecoderSession& session) : session_(session) {}
  ~CountingModel() override { g_counting = false; }

  int images() const override { return session_.images(); }
  int rows_per_image() const override { return session_.rows_per_image(); }
  int vocabulary_size() const override { return session_.vocabulary_size(); }
  int cells() const override { return session_.cells(); }
  int start_id() const override { return session_.start_id(); }
  int end_id() const override { return session_.end_id(); }
  search::StepOutput step(std::span<const int> tokens, std::span<const int> parents) override {
    if (steps_++ == 0) {
      g_large = 0;
      g_counting = true;
    }
    const search::StepOutput output = session_.step(tokens, parents);
    large_ = g_large;
    return output;
  }

  int steps() const { return steps_; }
  int large() const { return large_; }

 private:
  DecoderSession& session_;
  int steps_ = 0;
  int large_ = 0;
};

/// What oneDNN multiplies with: below AVX-512 its general gemm, whose driver takes memory of its own at every call.
std::string kernel_here() {
  Tensor weight(Shape{64, 64});
  std::fill(weight.values().begin(), weight.values().end(), 1.0F);
  return dnn::LinearKernel(dnn::Linear("layer", weight, {}), kLarge / 64).implementation();
}

TEST(Allocation, TheCounterCounts) {
#ifdef GLIMPSE_MALLOC_IS_TAKEN
  GTEST_SKIP() << "malloc is somebody else's here";
#endif
  g_large = 0;
  g_counting = true;
  const std::vector<char> small(kLarge - 1);
  const Tensor large(Shape{1024});
  g_counting = false;
  EXPECT_EQ(g_large, 1) << static_cast<const void*>(small.data()) << static_cast<const void*>(large.data());
}

TEST(Allocation, NoStepTakesALargeBlock) {
#ifdef GLIMPSE_MALLOC_IS_TAKEN
  GTEST_SKIP() << "malloc is somebody else's here";
#endif
  constexpr int kImages = 16;
  constexpr int kBeam = 5;
  const std::string kernel = kernel_here();
  if (kernel.rfind("brg", 0) != 0) {
    GTEST_SKIP() << "oneDNN multiplies with " << kernel << " on this processor, which allocates as it runs";
  }
  const testing::RandomDecoderShape shape = {256, 128, 96, 64, 128, 64, 96, 2000, 49, true};
  std::vector<search::SearchOptions> searches(4);
  searches[0].beam = kBeam;
  searches[1].beam = 1;
  searches[2].beam = kBeam;
  searches[2].required = {5, 6};
  searches[3].top = kBeam;
  searches[3].sampling = search::SamplingOptions{1.2, 50, 0.9};
  std::vector<DecoderConfig> variants(4);
  variants[1].feature_projection = DecoderConfig::FeatureProjection::kNone;
  variants[1].gate = DecoderConfig::Gate::kVector;
  variants[1].output = DecoderConfig::Output::kPlain;
  variants[2].channels = DecoderConfig::Channels::kChannelSpatial;
  variants[2].selector = DecoderConfig::Selector::kLocal;
  variants[2].history = DecoderConfig::History::kAdditive;
  variants[3].channels = DecoderConfig::Channels::kElement;
  variants[3].selector = DecoderConfig::Selector::kHard;
  const Tensor features = testing::random_features(shape, kImages, 1);
  for (const DecoderConfig& config : variants) {
    const Decoder decoder(config, Weights("random", testing::random_tensors(config, shape, 1)), shape.grid(),
                          static_cast<int>(shape.words));
    for (search::SearchOptions& options : searches) {
      options.min_words = options.max_words;
      DecoderSession session(decoder, kImages, search::rows_needed(options));
      session.prepare(features.values(), kImages);
      CountingModel model(session);
      search::search(model, options);
      EXPECT_EQ(model.steps(), options.max_words);
      EXPECT_EQ(model.large(), 0) << testing::describe(config) << ", beam " << options.beam << ", "
                                  << options.required.size() << " required, sampling " << options.sampling.has_value();
    }
  }
}

}  // namespace
}  // namespace glimpse
