// The loader: content and order of batches for any number of threads; damaged files.
#include "data/loader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <map>
#include <set>
#include <thread>

#include "core/random.h"
#include "image/image.h"
#include "support/paths.h"

namespace glimpse::train {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

using Files = std::vector<std::filesystem::path>;

/// A batch that outlives the loader.
struct Copy {
  int epoch;
  std::int64_t number;
  std::vector<std::size_t> indices;
  std::vector<Augmentation> augmentations;
  std::vector<std::uint8_t> pixels;

  bool operator==(const Copy&) const = default;
};

Copy copy_of(const Batch& batch) {
  Copy copy{batch.epoch, batch.number, {}, {}, {batch.pixels.begin(), batch.pixels.end()}};
  for (const LoadedPicture& picture : batch.pictures) {
    copy.indices.push_back(picture.index);
    copy.augmentations.push_back(picture.augmentation);
  }
  return copy;
}

class LoaderTest : public ::testing::Test {
 protected:
  /// Pictures of noise, no two alike, a little larger than what is asked for below.
  Files pictures(int count) const {
    Files files;
    for (int i = 0; i < count; ++i) {
      Image image(20 + i % 3, 18);
      Random random(static_cast<std::uint64_t>(i));
      for (std::size_t k = 0; k < image.pixels.size(); ++k) image.pixels.data()[k] = std::byte(random.below(256));
      files.push_back(scratch_.path() / ("p" + std::to_string(i) + ".png"));
      write_png(image, files.back());
    }
    return files;
  }

  static void damage(const std::filesystem::path& file) { std::ofstream(file, std::ios::binary) << "no picture"; }

  static LoaderOptions small() {
    LoaderOptions options;
    options.batch = 4;
    options.input.width = 16;
    options.input.height = 12;
    options.augment.flip = true;
    options.augment.scale_min = 0.5;
    options.augment.colour = 0.3;
    return options;
  }

  static std::vector<Copy> read(const Files& files, const LoaderOptions& options, int batches, int epoch = 0,
                                std::int64_t batch = 0) {
    Loader loader(files, options, epoch, batch);
    std::vector<Copy> copies;
    for (int i = 0; i < batches; ++i) copies.push_back(copy_of(loader.next()));
    return copies;
  }

  template <typename Body>
  static Error error_of(const Body& body) {
    try {
      body();
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "nothing was thrown";
    return {ErrorCode::kInternal, ""};
  }

  glimpse::testing::ScratchFolder scratch_;
};

TEST_F(LoaderTest, EveryPictureComesOnceAnEpochAsItsAugmentationSays) {
  const Files files = pictures(10);
  const std::vector<Copy> batches = read(files, small(), 6);
  for (int epoch = 0; epoch < 2; ++epoch) {
    std::set<std::size_t> seen;
    for (int number = 0; number < 3; ++number) {
      const Copy& batch = batches[std::size_t(3 * epoch + number)];
      EXPECT_EQ(batch.epoch, epoch);
      EXPECT_EQ(batch.number, number);
      ASSERT_EQ(batch.indices.size(), number == 2 ? 2U : 4U);
      std::vector<std::uint8_t> expected(batch.pixels.size());
      ASSERT_EQ(expected.size(), batch.indices.size() * 16 * 12 * 3);
      for (std::size_t i = 0; i < batch.indices.size(); ++i) {
        seen.insert(batch.indices[i]);
        augment(load_image(files[batch.indices[i]]), batch.augmentations[i], small().input,
                std::span(expected).subspan(i * 16 * 12 * 3, 16 * 12 * 3));
      }
      EXPECT_EQ(batch.pixels, expected);
    }
    EXPECT_EQ(seen.size(), 10U);
  }
  EXPECT_NE(batches[0].indices, batches[3].indices) << "both epochs in the same order";
  std::map<std::size_t, Augmentation> first;
  for (std::size_t b = 0; b < 3; ++b) {
    for (std::size_t i = 0; i < batches[b].indices.size(); ++i)
      first[batches[b].indices[i]] = batches[b].augmentations[i];
  }
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_FALSE(first[batches[3].indices[i]] == batches[3].augmentations[i]) << "the same view in both epochs";
  }
}

TEST_F(LoaderTest, ThreadsAndBatchesAheadChangeNothing) {
  const Files files = pictures(13);
  LoaderOptions options = small();
  const std::vector<Copy> expected = read(files, options, 9);
  for (const int threads : {2, 4}) {
    for (const int ahead : {1, 5}) {
      options.threads = threads;
      options.ahead = ahead;
      EXPECT_EQ(read(files, options, 9), expected) << threads << " threads, " << ahead << " ahead";
    }
  }
  options.seed = 2;
  EXPECT_NE(read(files, options, 1)[0].indices, expected[0].indices);
}

TEST_F(LoaderTest, BeginningInTheMiddleGoesOnAsIfFromTheStart) {
  const Files files = pictures(9);
  const std::vector<Copy> expected = read(files, small(), 8);
  EXPECT_EQ(read(files, small(), 3, 1, 2), std::vector<Copy>(expected.begin() + 5, expected.end()));
  EXPECT_EQ(read(files, small(), 2, 0, 3), std::vector<Copy>(expected.begin() + 3, expected.begin() + 5))
      << "behind an epoch's last batch comes the next epoch";
}

TEST_F(LoaderTest, ViewsComeInTurn) {
  const Files files = pictures(4);  // one batch an epoch
  LoaderOptions options = small();
  options.shuffle = false;
  const std::vector<Copy> fresh = read(files, options, 4);
  options.views = 2;
  const std::vector<Copy> turns = read(files, options, 4);
  EXPECT_EQ(turns[0].pixels, fresh[0].pixels);
  EXPECT_EQ(turns[1].pixels, fresh[1].pixels);
  EXPECT_NE(turns[1].pixels, turns[0].pixels);
  EXPECT_EQ(turns[2].pixels, turns[0].pixels);
  EXPECT_EQ(turns[3].pixels, turns[1].pixels);
}

TEST_F(LoaderTest, UnshuffledAndWholeBatches) {
  LoaderOptions options = small();
  options.shuffle = false;
  options.whole_batches = true;
  const std::vector<Copy> batches = read(pictures(10), options, 3);
  EXPECT_EQ(batches[0].indices, (std::vector<std::size_t>{0, 1, 2, 3}));
  EXPECT_EQ(batches[1].indices, (std::vector<std::size_t>{4, 5, 6, 7}));
  EXPECT_EQ(batches[2].indices, batches[0].indices);
  EXPECT_EQ(batches[2].epoch, 1);
}

TEST_F(LoaderTest, DamagedPicturesAreLeftOutAndReportedOnce) {
  const Files files = pictures(10);
  const std::vector<Copy> sound = read(files, small(), 6);
  for (const std::size_t i : {1U, 7U}) damage(files[i]);
  Loader loader(files, small());
  for (const Copy& whole : sound) {
    Copy expected{whole.epoch, whole.number, {}, {}, {}};
    for (std::size_t i = 0; i < whole.indices.size(); ++i) {
      if (whole.indices[i] == 1 || whole.indices[i] == 7) continue;
      expected.indices.push_back(whole.indices[i]);
      expected.augmentations.push_back(whole.augmentations[i]);
      const auto begin = whole.pixels.begin() + static_cast<std::ptrdiff_t>(i * 16 * 12 * 3);
      expected.pixels.insert(expected.pixels.end(), begin, begin + 16 * 12 * 3);
    }
    if (expected.indices.empty()) continue;
    EXPECT_EQ(copy_of(loader.next()), expected);
  }
  ASSERT_EQ(loader.damaged().size(), 2U);
  std::set<std::size_t> indices;
  for (const DamagedPicture& damaged : loader.damaged()) {
    indices.insert(damaged.index);
    EXPECT_EQ(damaged.error.code(), ErrorCode::kDecode);
    EXPECT_THAT(damaged.error.what(), HasSubstr("p" + std::to_string(damaged.index) + ".png"));
  }
  EXPECT_EQ(indices, (std::set<std::size_t>{1, 7}));
}

TEST_F(LoaderTest, BatchesOfDamagedPicturesAloneAreSkipped) {
  const Files files = pictures(6);
  for (const std::size_t i : {0U, 1U, 4U, 5U}) damage(files[i]);
  LoaderOptions options = small();
  options.batch = 2;
  options.shuffle = false;
  for (const Copy& batch : read(files, options, 3)) {
    EXPECT_EQ(batch.number, 1);
    EXPECT_EQ(batch.indices, (std::vector<std::size_t>{2, 3}));
  }
}

TEST_F(LoaderTest, AnEpochWithNothingReadableIsAnError) {
  const Files files = pictures(5);
  for (const auto& file : files) damage(file);
  Loader loader(files, small(), 2, 1);
  const Error error = error_of([&] { loader.next(); });
  EXPECT_EQ(error.code(), ErrorCode::kDecode);
  EXPECT_THAT(error.what(), AllOf(HasSubstr("none of 5"), HasSubstr("not a picture")));
}

TEST_F(LoaderTest, MissingFilesAreCountedBeforeAnythingIsRead) {
  Files files = pictures(2);
  files.push_back(scratch_.path());  // a folder is no picture either
  for (int i = 0; i < 9; ++i) files.push_back(scratch_.path() / ("none" + std::to_string(i)));
  const Error error = error_of([&] { const Loader loader(files, small()); });
  EXPECT_EQ(error.code(), ErrorCode::kMissing);
  EXPECT_THAT(error.what(), AllOf(HasSubstr("10 of 12 pictures"), HasSubstr("none0'"), HasSubstr("none3', …")));
}

TEST_F(LoaderTest, NoMoreIsReadThanWasAskedFor) {
  const Files files = pictures(12);
  LoaderOptions options = small();
  options.batch = 2;
  options.ahead = 2;
  options.threads = 2;
  options.shuffle = false;
  Loader loader(files, options);
  std::this_thread::sleep_for(std::chrono::milliseconds(200));  // for one without a bound to read them all
  for (std::size_t i = 4; i < files.size(); ++i) std::filesystem::remove(files[i]);
  EXPECT_EQ(loader.next().pictures.size(), 2U);
  EXPECT_EQ(loader.next().pictures.size(), 2U);
  EXPECT_EQ(loader.next().epoch, 1);
  EXPECT_EQ(loader.damaged().size(), 8U) << "pictures were read beyond the batches ahead";
}

TEST_F(LoaderTest, CanBeAbandonedWhileItReads) {
  const Files files = pictures(40);
  LoaderOptions options = small();
  options.batch = 10;
  options.threads = 3;
  options.ahead = 3;
  for (int i = 0; i < 50; ++i) {
    Loader loader(files, options);
    for (int k = 0; k < i % 3; ++k) EXPECT_FALSE(loader.next().pictures.empty());
  }
}

TEST_F(LoaderTest, BadOptionsAreNamed) {
  const Files files = pictures(3);
  const auto refused = [&](auto change) {
    LoaderOptions options = small();
    change(options);
    const Error error = error_of([&] { const Loader loader(files, options); });
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    return std::string(error.what());
  };
  EXPECT_THAT(refused([](LoaderOptions& o) { o.batch = 0; }), HasSubstr("batch is 0"));
  EXPECT_THAT(refused([](LoaderOptions& o) { o.ahead = 0; }), HasSubstr("ahead is 0"));
  EXPECT_THAT(refused([](LoaderOptions& o) { o.threads = -1; }), HasSubstr("threads is -1"));
  EXPECT_THAT(refused([](LoaderOptions& o) { o.views = -1; }), HasSubstr("views is -1"));
  EXPECT_THAT(refused([](LoaderOptions& o) { o.augment.colour = 2; }), HasSubstr("colour is 2"));
  EXPECT_THAT(refused([](LoaderOptions& o) { o.whole_batches = true; }), HasSubstr("too few for one batch of 4"));
  EXPECT_EQ(error_of([&] { const Loader loader({}, small()); }).code(), ErrorCode::kUsage);
  EXPECT_EQ(error_of([&] { const Loader loader(files, small(), 0, 2); }).code(), ErrorCode::kUsage);
}

TEST_F(LoaderTest, ReadsRealPhotos) {
  GLIMPSE_REQUIRE_SHARED("data/photos/flickr8k");
  Files files;
  for (const auto& entry : std::filesystem::directory_iterator(glimpse::testing::shared_path("data/photos/flickr8k"))) {
    if (files.size() < 64) files.push_back(entry.path());
  }
  LoaderOptions options;
  options.augment = small().augment;
  options.threads = 2;
  Loader loader(files, options);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(loader.next().pictures.size(), 32U);
  EXPECT_TRUE(loader.damaged().empty());
}

}  // namespace
}  // namespace glimpse::train
