#include "pipeline/batch_runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <new>
#include <set>
#include <thread>

#include "core/error.h"
#include "support/paths.h"
#include "support/tiny_model.h"
#include "support/usage_error.h"

namespace glimpse {
namespace {

using ::testing::HasSubstr;

constexpr int kBatch = 4;

/// A PNM picture, different for each seed.
std::string picture(int seed) {
  const int width = 30 + 5 * (seed % 7);
  const int height = 40 - 3 * (seed % 5);
  std::string bytes = "P6 " + std::to_string(width) + " " + std::to_string(height) + " 255\n";
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < 3 * width; ++x) {
      bytes += static_cast<char>(127 + 120 * std::sin(seed + (0.05 + 0.03 * (seed % 9)) * (x + 2 * y)));
    }
  }
  return bytes;
}

std::string name(int number) { return "picture" + std::to_string(number); }

const Captioner& captioner() {
  static const Captioner kCaptioner = [] {
    CaptionerOptions options;
    options.batch = kBatch;
    options.threads = 1;
    options.tuning = dnn::Tuning::kDirect;
    return Captioner(testing::tiny_model(), options);
  }();
  return kCaptioner;
}

/// A list of `count` pictures from number `begin` on; those that `bad` names are no pictures.
class List {
 public:
  explicit List(int count, int begin = 0, std::function<bool(int)> bad = nullptr)
      : next_(begin), end_(count), bad_(std::move(bad)) {}

  std::optional<BatchInput> operator()(const std::stop_token& /*stop*/) {
    if (next_ == end_) return std::nullopt;
    const int number = next_++;
    BatchInput input;
    input.path = name(number);
    input.bytes = bad_ && bad_(number) ? "no picture" : picture(number);
    return input;
  }

 private:
  int next_;
  int end_;
  std::function<bool(int)> bad_;
};

using Next = std::function<std::optional<BatchInput>(const std::stop_token&)>;

struct RunOptions {
  int workers = 2;
  std::size_t first = 0;
  std::vector<PictureSink*> before = {};
};

std::vector<BatchResult> run(Next next, const RunOptions& options = {}) {
  BatchOptions batch;
  batch.workers = options.workers;
  BatchRunner runner(captioner(), {}, batch);
  std::vector<BatchResult> results;
  CallingSink keep([&](BatchResult& result) { results.push_back(std::move(result)); });
  std::vector<PictureSink*> sinks = options.before;
  sinks.push_back(&keep);
  runner.run({.next = std::move(next), .first = options.first}, sinks);
  return results;
}

/// Draws by calling a function.
class DrawingSink : public PictureSink {
 public:
  using Draw = std::function<void(const BatchPicture&, BatchResult&)>;
  explicit DrawingSink(Draw draw) : draw_(std::move(draw)) {}

  bool draws() const override { return true; }
  std::unique_ptr<PictureTask> plan(BatchInput& /*input*/) override { return std::make_unique<Task>(draw_); }

 private:
  class Task : public PictureTask {
   public:
    explicit Task(const Draw& draw) : draw_(draw) {}
    void draw(const BatchPicture& picture, BatchResult& result) override { draw_(picture, result); }
    bool deliver(BatchResult& /*result*/) override { return true; }

   private:
    const Draw& draw_;
  };

  Draw draw_;
};

void expect_same_bits(const BatchResult& a, const BatchResult& b) {
  SCOPED_TRACE(a.path);
  EXPECT_EQ(a.path, b.path);
  ASSERT_NE(a.captions(), nullptr);
  ASSERT_NE(b.captions(), nullptr);
  const Caption& one = a.captions()->front();
  const Caption& other = b.captions()->front();
  EXPECT_EQ(one.text, other.text);
  EXPECT_EQ(one.log_prob, other.log_prob);
  ASSERT_EQ(one.glimpses.size(), other.glimpses.size());
  for (std::size_t i = 0; i < one.glimpses.size(); ++i) {
    EXPECT_EQ(one.glimpses[i].beta, other.glimpses[i].beta);
    EXPECT_EQ(one.glimpses[i].alpha, other.glimpses[i].alpha);
  }
}

TEST(BatchRunner, ResultsComeInTheOrderOfTheListWhateverTheWorkers) {
  const std::vector<BatchResult> expected = run(List(61), {.workers = 1});
  ASSERT_EQ(expected.size(), 61U);
  CaptionSession session(captioner());
  std::set<std::string> texts;
  for (int i = 0; i < 61; ++i) {
    const BatchResult& result = expected[static_cast<std::size_t>(i)];
    EXPECT_EQ(result.path, name(i));
    EXPECT_EQ(result.number, static_cast<std::size_t>(i));
    EXPECT_GT(result.seconds, 0);
    const std::string bytes = picture(i);
    const Image image = decode_image(std::as_bytes(std::span(bytes)), "x");
    EXPECT_EQ(result.width, image.width);
    EXPECT_EQ(result.height, image.height);
    const Caption alone = session.caption(image).front();
    ASSERT_NE(result.captions(), nullptr);
    EXPECT_EQ(result.captions()->front().text, alone.text);
    EXPECT_NEAR(result.captions()->front().log_prob, alone.log_prob, 1e-4);
    texts.insert(alone.text);
  }
  EXPECT_GT(texts.size(), 5U) << "nearly all captions are the same, so this test would not notice a mix-up";
  for (const int workers : {2, 4}) {
    const std::vector<BatchResult> found = run(List(61), {.workers = workers});
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) expect_same_bits(found[i], expected[i]);
  }
}

TEST(BatchRunner, AListThatIsGoneOnWithGivesTheSameBits) {
  constexpr int kCount = 23;
  const auto bad = [](int number) { return number % 5 == 2; };
  const std::vector<BatchResult> whole = run(List(kCount, 0, bad));
  ASSERT_EQ(whole.size(), static_cast<std::size_t>(kCount));
  for (int begin = 1; begin < kCount; ++begin) {
    const auto first = static_cast<std::size_t>(begin);
    const std::vector<BatchResult> rest = run(List(kCount, begin, bad), {.first = first});
    ASSERT_EQ(rest.size(), kCount - first);
    for (std::size_t i = 0; i < rest.size(); ++i) {
      const BatchResult& before = whole[first + i];
      ASSERT_EQ(rest[i].path, before.path);
      ASSERT_EQ(rest[i].error() == nullptr, before.error() == nullptr);
      if (before.error() == nullptr) expect_same_bits(rest[i], before);
    }
  }
}

TEST(BatchRunner, AListThatTricklesIsWorkedOnAsItArrives) {
  using namespace std::chrono_literals;
  const std::vector<BatchResult> whole = run(List(6));
  std::vector<BatchResult> results;
  std::atomic<int> delivered = 0;
  int given = 0;
  BatchList pictures;
  pictures.next = [&, list = List(6)](const std::stop_token& stop) mutable {
    // Whoever writes the list waits for an answer before going on.
    for (int patience = 0; delivered < given && patience < 2000; ++patience) std::this_thread::sleep_for(5ms);
    EXPECT_EQ(delivered, given);
    ++given;
    return list(stop);
  };
  pictures.waits = [&] { return delivered < given; };
  CallingSink keep([&](BatchResult& result) {
    results.push_back(std::move(result));
    ++delivered;
  });
  BatchRunner(captioner(), {}, {.workers = 1}).run(pictures, {&keep});
  ASSERT_EQ(results.size(), whole.size());
  for (std::size_t i = 0; i < whole.size(); ++i) expect_same_bits(results[i], whole[i]);
}

TEST(BatchRunner, PicturesThatFailAreValuesAmongTheOthers) {
  const std::vector<BatchResult> good = run(List(40));
  const std::vector<BatchResult> mixed = run(List(40, 0, [](int number) { return number % 3 == 0 || number > 30; }));
  ASSERT_EQ(mixed.size(), 40U);
  for (std::size_t i = 0; i < mixed.size(); ++i) {
    if (i % 3 == 0 || i > 30) {
      ASSERT_NE(mixed[i].error(), nullptr) << i;
      EXPECT_EQ(mixed[i].error()->code(), ErrorCode::kDecode);
      EXPECT_THAT(mixed[i].error()->what(), HasSubstr("'" + name(static_cast<int>(i)) + "'"));
      EXPECT_EQ(mixed[i].width, 0);
    } else {
      expect_same_bits(mixed[i], good[i]);
    }
  }
}

TEST(BatchRunner, FilesAreReadAndErrorsThatAreKnownArePassedOn) {
  int given = 0;
  const std::vector<BatchResult> results = run([&](const std::stop_token&) -> std::optional<BatchInput> {
    const std::string photos[] = {testing::source_path("assets/photos/temple.jpg").string(), "/gone.jpg", "a pattern"};
    if (given == 3) return std::nullopt;
    BatchInput input;
    input.path = photos[given];
    if (given++ == 2) input.error = Error(ErrorCode::kMissing, "nothing matches");
    return input;
  });
  ASSERT_EQ(results.size(), 3U);
  ASSERT_NE(results[0].captions(), nullptr);
  EXPECT_EQ(results[0].width, 640);
  EXPECT_EQ(results[0].height, 427);
  EXPECT_EQ(results[1].error()->code(), ErrorCode::kMissing);
  EXPECT_STREQ(results[2].error()->what(), "nothing matches");
}

TEST(BatchRunner, WhatGoesWrongInDrawingIsThePicturesOwn) {
  DrawingSink drawing([](const BatchPicture& drawn, BatchResult& result) {
    if (result.number == 3) throw std::bad_alloc();
    if (result.number == 5) throw Error(ErrorCode::kIo, "the disk is full");
    EXPECT_EQ(drawn.picture.width, drawn.transform.source_width);
    result.files = {{drawn.path + ": " + drawn.captions.front().text}};
  });
  const std::vector<BatchResult> results = run(List(12), {.before = {&drawing}});
  ASSERT_EQ(results.size(), 12U);
  for (int i = 0; i < 12; ++i) {
    const BatchResult& result = results[static_cast<std::size_t>(i)];
    if (i == 3) {
      EXPECT_EQ(result.error()->code(), ErrorCode::kTooLarge);
      EXPECT_THAT(result.error()->what(), HasSubstr("not enough memory for 'picture3'"));
    } else if (i == 5) {
      EXPECT_STREQ(result.error()->what(), "the disk is full");
    } else {
      EXPECT_EQ(result.files.at(0).at(0), result.path + ": " + result.captions()->front().text);
    }
  }
  DrawingSink wrong([](const BatchPicture&, BatchResult&) { throw Error(ErrorCode::kUsage, "no such colours"); });
  EXPECT_THROW(run(List(12), {.before = {&wrong}}), Error);
}

/// Leaves out pictures when they are listed, or when they come.
class ChoosySink : public PictureSink {
 public:
  std::unique_ptr<PictureTask> plan(BatchInput& input) override {
    if (input.path == name(2)) return nullptr;
    return std::make_unique<Task>();
  }
  void finish() override { ++finished; }

  int finished = 0;

 private:
  class Task : public PictureTask {
   public:
    bool deliver(BatchResult& result) override { return result.path != name(4); }
  };
};

TEST(BatchRunner, WhatASinkLeavesOutComesToNoneAfterIt) {
  ChoosySink choosy;
  int heard = 0;
  CallingSink before([&](BatchResult&) { ++heard; });
  const std::vector<BatchResult> results = run(List(6), {.before = {&before, &choosy}});
  std::vector<std::string> paths;
  for (const BatchResult& result : results) paths.push_back(result.path);
  EXPECT_THAT(paths, ::testing::ElementsAre(name(0), name(1), name(3), name(5)));
  EXPECT_EQ(results.back().number, 4U) << "of those that were not left out when they were listed";
  EXPECT_EQ(heard, 5);
  EXPECT_EQ(choosy.finished, 1);
}

TEST(BatchRunner, AStopFinishesAndDeliversWhatIsInFlight) {
  for (const int stop_at : {0, 1, 17, 50}) {
    BatchOptions options;
    options.workers = 3;
    BatchRunner runner(captioner(), {}, options);
    std::stop_source stop;
    std::atomic<int> listed = 0;
    std::vector<int> delivered;
    List list(1'000'000);
    const Next next = [&](const std::stop_token& token) {
      ++listed;
      return list(token);
    };
    CallingSink keep([&](const BatchResult& result) {
      ASSERT_NE(result.captions(), nullptr);
      if (static_cast<int>(delivered.size()) == stop_at) stop.request_stop();
      delivered.push_back(std::stoi(result.path.substr(name(0).size() - 1)));
    });
    runner.run({.next = next}, {&keep}, stop.get_token());
    ASSERT_GT(static_cast<int>(delivered.size()), stop_at);
    EXPECT_EQ(static_cast<int>(delivered.size()), listed);
    for (std::size_t i = 0; i < delivered.size(); ++i) ASSERT_EQ(delivered[i], static_cast<int>(i));
  }
}

TEST(BatchRunner, FewPicturesAreInFlightHoweverSlowTheReceiver) {
  constexpr int kWorkers = 2;
  BatchOptions options;
  options.workers = kWorkers;
  BatchRunner runner(captioner(), {}, options);
  std::atomic<int> listed = 0;
  int delivered = 0;
  int most = 0;
  List list(200);
  const Next next = [&](const std::stop_token& stop) {
    ++listed;
    return list(stop);
  };
  CallingSink slow([&](const BatchResult&) {
    if (delivered < 3) std::this_thread::sleep_for(std::chrono::milliseconds(100));
    most = std::max(most, listed - delivered++);
  });
  runner.run({.next = next}, {&slow});
  EXPECT_EQ(delivered, 200);
  EXPECT_LE(most, (2 * (kWorkers + 1) + 1) * kBatch);
}

TEST(BatchRunner, WhatListAndSinksThrowEndsTheRun) {
  BatchRunner runner(captioner(), {});
  List list(100);
  int delivered = 0;
  CallingSink full([&](const BatchResult&) {
    if (++delivered == 10) throw Error(ErrorCode::kIo, "the disk is full");
  });
  EXPECT_THROW(runner.run({.next = std::ref(list)}, {&full}), Error);
  EXPECT_EQ(delivered, 10);
  const Next bad = [](const std::stop_token&) -> std::optional<BatchInput> {
    throw Error(ErrorCode::kUsage, "exists already");
  };
  EXPECT_THROW(runner.run({.next = bad}, {&full}), Error);
}

TEST(BatchRunner, AListThatWaitsIsToldWhenTheRunHasFailed) {
  List list(1);
  const Next next = [&](const std::stop_token& stop) {
    std::optional<BatchInput> input = list(stop);
    for (int patience = 0; !input && !stop.stop_requested() && patience < 2000; ++patience) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    EXPECT_TRUE(input || stop.stop_requested());
    return input;
  };
  CallingSink full([&](const BatchResult&) { throw Error(ErrorCode::kIo, "the disk is full"); });
  EXPECT_THROW(BatchRunner(captioner(), {}).run({.next = next, .waits = [] { return true; }}, {&full}), Error);
}

TEST(BatchRunner, OneWorkerMayHaveAllThreads) {
  CaptionerOptions options;
  options.batch = kBatch;
  options.threads = 2;
  options.tuning = dnn::Tuning::kDirect;
  const std::vector<BatchResult> expected = run(List(9));
  std::vector<BatchResult> results;
  CallingSink keep([&](BatchResult& result) { results.push_back(std::move(result)); });
  BatchRunner(Captioner(testing::tiny_model(), options), {}, {.workers = 1}).run({.next = List(9)}, {&keep});
  ASSERT_EQ(results.size(), expected.size());
  for (std::size_t i = 0; i < results.size(); ++i) {
    EXPECT_EQ(results[i].captions()->front().text, expected[i].captions()->front().text);
  }
}

TEST(BatchRunner, StatsSayWhereTheTimeWent) {
  BatchOptions options;
  options.workers = 2;
  BatchRunner runner(captioner(), {}, options);
  const BatchStats stats = runner.run({.next = List(50)}, {});
  EXPECT_EQ(stats.workers, 2);
  EXPECT_GT(stats.read, 0);
  EXPECT_GT(stats.encode, 0);
  EXPECT_GT(stats.search, 0);
  EXPECT_LE(stats.encode + stats.search, 2 * stats.elapsed);
}

TEST(BatchRunner, SeveralWorkersNeedACaptionerOfOneThread) {
  CaptionerOptions options;
  options.threads = 3;
  options.tuning = dnn::Tuning::kDirect;
  const Captioner broad(testing::tiny_model(), options);
  EXPECT_EQ(broad.threads(), 3);
  EXPECT_THAT([&] { BatchRunner(broad, {}, {.workers = 2}); },
              testing::throws_usage("2 workers with a captioner of 3 threads each"));
  BatchRunner runner(broad, {}, {.workers = 1});
  int delivered = 0;
  CallingSink count([&](const BatchResult& result) {
    EXPECT_NE(result.captions(), nullptr);
    ++delivered;
  });
  runner.run({.next = List(5)}, {&count});
  EXPECT_EQ(delivered, 5);
}

TEST(BatchRunner, ARunNeedsAList) {
  BatchRunner runner(captioner(), {}, {.workers = 1});
  EXPECT_THAT([&] { runner.run({}, {}); }, testing::throws_usage("BatchList::next is empty"));
}

TEST(BatchRunner, BadCountsAndUnknownWordsAreWrongUsage) {
  EXPECT_THROW(BatchRunner(captioner(), {}, {.workers = -1}), Error);
  CaptionOptions unknown;
  unknown.required = {"zebra"};
  EXPECT_THROW(BatchRunner(captioner(), unknown), Error);
}

}  // namespace
}  // namespace glimpse
