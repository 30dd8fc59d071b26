#include "data/loader.h"

#include <tbb/global_control.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <cmath>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <exception>
#include <mutex>
#include <numeric>
#include <optional>
#include <set>
#include <utility>

#include "core/handover.h"
#include "core/random.h"
#include "image/image.h"

namespace glimpse::train {
namespace {

constexpr int kMostAhead = 64;
constexpr int kMostThreads = 1024;
constexpr int kMostViews = 1000;

void check_option(const char* name, std::int64_t value, std::int64_t least, std::int64_t most) {
  if (value >= least && value <= most) return;
  throw Error(ErrorCode::kUsage, std::string("reading pictures: ") + name + " is " + std::to_string(value) + "; give " +
                                     std::to_string(least) + " to " + std::to_string(most));
}

void check_options(const LoaderOptions& options) {
  constexpr int kLargestSide = 4096;
  constexpr int kLargestBatch = 4096;
  check_option("batch", options.batch, 1, kLargestBatch);
  check_option("width", options.input.width, 1, kLargestSide);
  check_option("height", options.input.height, 1, kLargestSide);
  check_option("threads", options.threads, 1, kMostThreads);
  check_option("ahead", options.ahead, 1, kMostAhead);
  check_option("views", options.views, 0, kMostViews);
  check(options.augment);
}

void check_files(const std::vector<std::filesystem::path>& files) {
  constexpr std::size_t kNamed = 5;
  if (files.empty()) throw Error(ErrorCode::kUsage, "there are no pictures to read");
  std::size_t missing = 0;
  std::string names;
  for (const std::filesystem::path& file : files) {
    std::error_code error;
    if (std::filesystem::is_regular_file(file, error)) continue;
    if (missing++ < kNamed) names += (names.empty() ? "" : ", ") + quote(file.native());
  }
  if (missing == 0) return;
  throw Error(ErrorCode::kMissing, std::to_string(missing) + " of " + std::to_string(files.size()) +
                                       " pictures are missing: " + names + (missing > kNamed ? ", …" : ""));
}

/// A seed of its own for every pair of numbers.
std::uint64_t mixed(std::uint64_t seed, std::uint64_t a, std::uint64_t b) {
  return Random(Random(Random(seed).next() ^ a).next() ^ b).next();
}

/// Large pictures need not be decoded larger than the smallest crop must be.
LoadOptions load_options(const LoaderOptions& options) {
  const AugmentOptions& augment = options.augment;
  LoadOptions load;
  load.min_width = static_cast<int>(std::ceil(options.input.width / std::sqrt(augment.scale_min * augment.ratio_min)));
  load.min_height =
      static_cast<int>(std::ceil(options.input.height / std::sqrt(augment.scale_min / augment.ratio_max)));
  return load;
}

}  // namespace

class Loader::Impl {
 public:
  Impl(std::vector<std::filesystem::path> files, const LoaderOptions& options, int epoch, std::int64_t batch);
  ~Impl();

  void start();  ///< not in the constructor, because only a complete object's destructor waits for its threads
  std::int64_t batches_per_epoch() const { return batches_per_epoch_; }
  const Batch& next();
  const std::vector<DamagedPicture>& damaged() const { return damaged_; }

 private:
  /// The result of one picture.
  struct Cell {
    std::size_t index = 0;
    Augmentation augmentation;
    std::optional<Error> error;
  };

  /// A batch that is being read, is ready, or is in the caller's hands. Slots take turns.
  struct Slot {
    int epoch = 0;
    std::int64_t number = 0;
    std::vector<Cell> cells;
    AlignedBuffer pixels;     ///< [batch, height, width, 3]
    std::size_t pending = 0;  ///< cells that are not done yet; guarded by mutex_
  };

  struct Job {
    Slot* slot;
    std::size_t cell;
  };

  void schedule(std::int64_t sequence);
  void order_epoch(int epoch);
  void work();
  void read(Slot& slot, std::size_t cell);
  void give_out(Slot& slot);
  Slot& slot_of(std::int64_t sequence) { return slots_[static_cast<std::size_t>(sequence) % slots_.size()]; }

  std::vector<std::filesystem::path> files_;
  LoaderOptions options_;
  LoadOptions load_;
  std::size_t picture_bytes_;
  std::int64_t batches_per_epoch_;
  std::vector<std::size_t> order_;  ///< of the epoch that is being scheduled
  int ordered_epoch_ = -1;
  std::int64_t next_sequence_;  ///< the batch to give out next, counted over all epochs
  Batch batch_;
  std::int64_t empty_batches_ = 0;  ///< in a row
  std::set<std::size_t> known_damaged_;
  std::vector<DamagedPicture> damaged_;
  std::vector<Slot> slots_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> jobs_;
  std::size_t running_ = 0;     ///< tasks that TBB has been given and that have not ended
  std::exception_ptr failure_;  ///< an error of no single picture: out of memory
  // TBB's own limit counts the calling thread, and is the processors' number unless told otherwise.
  tbb::global_control limit_;
  tbb::task_arena arena_;
};

Loader::Impl::Impl(std::vector<std::filesystem::path> files, const LoaderOptions& options, int epoch,
                   std::int64_t batch)
    : files_(std::move(files)),
      options_((check_options(options), options)),
      load_(load_options(options)),
      picture_bytes_(std::size_t{3} * static_cast<std::size_t>(options.input.width) *
                     static_cast<std::size_t>(options.input.height)),
      slots_(static_cast<std::size_t>(options.ahead) + 1),
      limit_(tbb::global_control::max_allowed_parallelism,
             std::max(tbb::global_control::active_value(tbb::global_control::max_allowed_parallelism),
                      static_cast<std::size_t>(options.threads) + 1)),
      arena_(options.threads, 0) {
  check_files(files_);
  const auto count = static_cast<std::int64_t>(files_.size());
  batches_per_epoch_ = (options_.whole_batches ? count : count + options_.batch - 1) / options_.batch;
  if (batches_per_epoch_ == 0) {
    throw Error(ErrorCode::kUsage, std::to_string(count) + " pictures are too few for one batch of " +
                                       std::to_string(options_.batch) + "; give more or a smaller batch");
  }
  check_option("the epoch to begin at", epoch, 0, 1'000'000);
  check_option("the batch to begin at", batch, 0, batches_per_epoch_);
  next_sequence_ = epoch * batches_per_epoch_ + batch;
  for (Slot& slot : slots_) slot.pixels = AlignedBuffer(picture_bytes_ * static_cast<std::size_t>(options_.batch));
}

void Loader::Impl::start() {
  for (int i = 0; i < options_.ahead; ++i) schedule(next_sequence_ + i);
}

Loader::Impl::~Impl() {
  std::unique_lock lock(mutex_);
  jobs_.clear();
  changed_.wait(lock, [&] { return running_ == 0; });
}

void Loader::Impl::order_epoch(int epoch) {
  if (epoch == ordered_epoch_) return;
  ordered_epoch_ = epoch;
  order_.resize(files_.size());
  std::iota(order_.begin(), order_.end(), std::size_t{0});
  if (!options_.shuffle) return;
  Random random(mixed(options_.seed, static_cast<std::uint64_t>(epoch), files_.size()));
  for (std::size_t i = order_.size(); i > 1; --i) std::swap(order_[i - 1], order_[random.below(i)]);
}

/// Sets the threads to the batch that stands at `sequence`; its slot is no longer in use.
void Loader::Impl::schedule(std::int64_t sequence) {
  Slot& slot = slot_of(sequence);
  slot.epoch = static_cast<int>(sequence / batches_per_epoch_);
  slot.number = sequence % batches_per_epoch_;
  order_epoch(slot.epoch);
  const std::size_t begin = static_cast<std::size_t>(slot.number) * static_cast<std::size_t>(options_.batch);
  const std::size_t end = std::min(begin + static_cast<std::size_t>(options_.batch), order_.size());
  slot.cells.assign(end - begin, {});
  for (std::size_t i = begin; i < end; ++i) slot.cells[i - begin].index = order_[i];
  {
    const std::lock_guard lock(mutex_);
    slot.pending = slot.cells.size();
    for (std::size_t i = 0; i < slot.cells.size(); ++i) jobs_.push_back({&slot, i});
    running_ += slot.cells.size();
  }
  // A task is a ticket for whatever job is next, so that jobs are begun in their order.
  hand_over(this);
  for (std::size_t i = 0; i < slot.cells.size(); ++i) {
    arena_.enqueue([this] {
      take_over(this);
      work();
    });
  }
}

void Loader::Impl::work() {
  std::unique_lock lock(mutex_);
  if (!jobs_.empty()) {  // else the loader is being destroyed
    const Job job = jobs_.front();
    jobs_.pop_front();
    lock.unlock();
    std::exception_ptr failure;
    try {
      read(*job.slot, job.cell);
    } catch (...) {
      failure = std::current_exception();
    }
    lock.lock();
    if (failure) failure_ = failure;
    --job.slot->pending;
  }
  --running_;
  changed_.notify_all();  // under the lock: the destructor may end as soon as it is released
}

void Loader::Impl::read(Slot& slot, std::size_t cell_index) {
  Cell& cell = slot.cells[cell_index];
  const int view = options_.views > 0 ? slot.epoch % options_.views : slot.epoch;
  Random random(mixed(options_.seed, static_cast<std::uint64_t>(view), cell.index));
  try {
    const Image image = load_image(files_[cell.index], load_);
    cell.augmentation = draw_augmentation(options_.augment, image.width, image.height, random);
    auto* pixels = reinterpret_cast<std::uint8_t*>(slot.pixels.data()) + cell_index * picture_bytes_;
    augment(image, cell.augmentation, options_.input, {pixels, picture_bytes_});
  } catch (const Error& error) {
    cell.error = error;
  }
}

/// Makes batch_ of a slot that is ready: damaged pictures are noted, and the others close ranks.
void Loader::Impl::give_out(Slot& slot) {
  auto* pixels = reinterpret_cast<std::uint8_t*>(slot.pixels.data());
  batch_.epoch = slot.epoch;
  batch_.number = slot.number;
  batch_.pictures.clear();
  for (std::size_t i = 0; i < slot.cells.size(); ++i) {
    Cell& cell = slot.cells[i];
    if (cell.error) {
      if (known_damaged_.insert(cell.index).second) damaged_.push_back({cell.index, *cell.error});
      continue;
    }
    const std::size_t place = batch_.pictures.size();
    if (place != i) std::memmove(pixels + place * picture_bytes_, pixels + i * picture_bytes_, picture_bytes_);
    batch_.pictures.push_back({cell.index, cell.augmentation});
  }
  batch_.pixels = {pixels, batch_.pictures.size() * picture_bytes_};
}

const Batch& Loader::Impl::next() {
  while (true) {
    // The slot that was given out last is free again.
    schedule(next_sequence_ + options_.ahead);
    Slot& slot = slot_of(next_sequence_++);
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return slot.pending == 0; });
      if (failure_) std::rethrow_exception(failure_);
    }
    give_out(slot);
    empty_batches_ = batch_.pictures.empty() ? empty_batches_ + 1 : 0;
    if (!batch_.pictures.empty()) return batch_;
    if (empty_batches_ == batches_per_epoch_) {
      throw Error(ErrorCode::kDecode, "none of " + std::to_string(files_.size()) +
                                          " pictures can be read; the first: " + damaged_.front().error.what());
    }
  }
}

Loader::Loader(std::vector<std::filesystem::path> files, const LoaderOptions& options, int epoch, std::int64_t batch)
    : impl_(std::make_unique<Impl>(std::move(files), options, epoch, batch)) {
  impl_->start();
}

Loader::~Loader() = default;

std::int64_t Loader::batches_per_epoch() const { return impl_->batches_per_epoch(); }

const Batch& Loader::next() { return impl_->next(); }

const std::vector<DamagedPicture>& Loader::damaged() const { return impl_->damaged(); }

}  // namespace glimpse::train
