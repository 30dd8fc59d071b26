#include <algorithm>
#include <bit>
#include <limits>
#include <numeric>

#include "search/candidates.h"
#include "search/filter.h"
#include "search/options.h"
#include "search/trellis.h"

namespace glimpse::search {
namespace {

/// Shared by the images of a batch.
struct Batch {
  Batch(StepModel& model, const SearchOptions& search_options)
      : options(search_options),
        to_say(words_to_say(options)),
        end_id(model.end_id()),
        rows_per_image(model.rows_per_image()),
        vocabulary_size(static_cast<std::size_t>(model.vocabulary_size())),
        filter(model.vocabulary_size(), options.forbidden),
        trellis(options.max_words, model),
        tokens(static_cast<std::size_t>(model.images() * rows_per_image), model.start_id()),
        parents(tokens.size()) {
    std::iota(parents.begin(), parents.end(), 0);
  }

  const SearchOptions& options;
  const std::vector<int> to_say;  ///< required words; bit i of Row::said belongs to word i
  const int end_id;
  const int rows_per_image;
  const std::size_t vocabulary_size;
  WordFilter filter;
  Trellis trellis;
  std::vector<int> tokens;   ///< [images × rows_per_image], what the next step is given
  std::vector<int> parents;  ///< [images × rows_per_image]
};

/// The search of one image. Bank k has rows k · beam to (k + 1) · beam of the image's; its hypotheses have said k of
/// the required words.
class ImageSearch {
 public:
  ImageSearch(Batch& batch, int image);

  bool open() const { return open_; }
  /// Chooses the rows of the next step: log_probs [images × rows_per_image, vocabulary].
  void advance(int step, std::span<const float> log_probs);
  std::vector<Hypothesis> best() const;

 private:
  struct Row {
    bool live = false;
    double log_prob = 0;
    std::uint64_t said = 0;
  };

  std::size_t banks() const { return batch_.to_say.size() + 1; }
  std::uint64_t all_said() const { return (std::uint64_t{1} << batch_.to_say.size()) - 1; }
  std::size_t bank_of(std::uint64_t said) const { return static_cast<std::size_t>(std::popcount(said)); }
  std::uint64_t bit_of(int word) const;

  void offer_continuations(int step, int index, std::span<const float> log_probs);
  void offer(int index, int word, float log_prob, const char* option);
  bool choose(int step);
  void choose_in_bank(int step, std::size_t bank);
  void join_live(int words);
  bool can_improve() const;

  Batch& batch_;
  const int first_row_;
  bool open_ = true;
  std::vector<Row> rows_;             ///< [banks × beam]
  std::vector<Row> next_;             ///< the same after the step at hand
  std::vector<BestCandidates> best_;  ///< a bank
  std::vector<Ending> endings_;
};

ImageSearch::ImageSearch(Batch& batch, int image)
    : batch_(batch),
      first_row_(image * batch.rows_per_image),
      rows_(banks() * static_cast<std::size_t>(batch.options.beam)),
      next_(rows_.size()) {
  rows_.front().live = true;
  best_.reserve(banks());
  for (std::size_t i = 0; i < banks(); ++i) best_.emplace_back(2 * static_cast<std::size_t>(batch.options.beam));
  endings_.reserve(static_cast<std::size_t>(batch.options.max_words + 1) * rows_.size());
}

std::uint64_t ImageSearch::bit_of(int word) const {
  const auto found = std::find(batch_.to_say.begin(), batch_.to_say.end(), word);
  return found == batch_.to_say.end() ? 0 : std::uint64_t{1} << (found - batch_.to_say.begin());
}

/// Offers a word that an option demands, into the bank that the hypothesis then belongs to.
void ImageSearch::offer(int index, int word, float log_prob, const char* option) {
  if (log_prob == -std::numeric_limits<float>::infinity()) throw_never_said(batch_.options, option, word);
  const Row& row = rows_[static_cast<std::size_t>(index)];
  best_[bank_of(row.said | bit_of(word))].offer(
      {row.log_prob + static_cast<double>(log_prob), first_row_ + index, word, log_prob});
}

void ImageSearch::offer_continuations(int step, int index, std::span<const float> log_probs) {
  const SearchOptions& options = batch_.options;
  const Row& row = rows_[static_cast<std::size_t>(index)];
  if (static_cast<std::size_t>(step) < options.prefix.size()) {
    const int word = options.prefix[static_cast<std::size_t>(step)];
    offer(index, word, log_probs[static_cast<std::size_t>(word)], "prefix");
    return;
  }
  const std::uint64_t unsaid = all_said() & ~row.said;
  for (std::size_t i = 0; i < batch_.to_say.size(); ++i) {
    if ((unsaid >> i & 1U) == 0) continue;
    const int word = batch_.to_say[i];
    // No n-gram can block it: an n-gram that ends in a new word is new.
    offer(index, word, log_probs[static_cast<std::size_t>(word)], "required");
    batch_.filter.ban(word);  // offered already, in its own bank
  }
  const bool free = std::popcount(unsaid) < options.max_words - step;
  if (free) {
    if (unsaid != 0 || step < options.min_words) batch_.filter.ban(batch_.end_id);
    batch_.filter.ban_repeats(batch_.trellis.words(first_row_ + index, step), options.no_repeat_ngram);
    best_[bank_of(row.said)].scan(first_row_ + index, row.log_prob, log_probs, batch_.filter.banned());
  }
  batch_.filter.lift();
}

void ImageSearch::advance(int step, std::span<const float> log_probs) {
  for (BestCandidates& best : best_) best.clear();
  const auto row_of = [&](std::size_t index) {
    return log_probs.subspan((static_cast<std::size_t>(first_row_) + index) * batch_.vocabulary_size,
                             batch_.vocabulary_size);
  };
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    if (rows_[i].live) offer_continuations(step, static_cast<int>(i), row_of(i));
  }
  if (!choose(step)) {
    // No word is allowed: hypotheses stay as they are.
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      if (rows_[i].live) check_numbers(row_of(i));
    }
    join_live(step);
    open_ = false;
    return;
  }
  rows_.swap(next_);
  const bool any_live = std::any_of(rows_.begin(), rows_.end(), [](const Row& row) { return row.live; });
  const bool enough = endings_.size() >= static_cast<std::size_t>(batch_.options.beam) && !can_improve();
  if (any_live && !enough && step + 1 < batch_.options.max_words) return;
  if (endings_.size() < static_cast<std::size_t>(batch_.options.beam)) join_live(step + 1);
  open_ = false;
}

/// False where there was nothing to choose from.
bool ImageSearch::choose(int step) {
  std::fill(next_.begin(), next_.end(), Row{});
  const std::size_t finished = endings_.size();
  for (std::size_t bank = 0; bank < banks(); ++bank) choose_in_bank(step, bank);
  bool any_live = false;
  for (std::size_t i = 0; i < next_.size(); ++i) {
    any_live |= next_[i].live;
    // An idle row repeats itself.
    const std::size_t row = static_cast<std::size_t>(first_row_) + i;
    if (!next_[i].live) batch_.parents[row] = static_cast<int>(row);
  }
  return any_live || endings_.size() > finished;
}

void ImageSearch::choose_in_bank(int step, std::size_t bank) {
  const auto beam = static_cast<std::size_t>(batch_.options.beam);
  std::size_t rank = 0;
  std::size_t alive = 0;
  for (const Candidate& candidate : best_[bank].sorted()) {
    const bool among_best = rank++ < beam;
    if (candidate.word == batch_.end_id) {
      if (!among_best) continue;
      const double score = normalised(candidate.log_prob, step, true, batch_.options.length_penalty);
      endings_.push_back(
          {step, candidate.row, candidate.log_prob, static_cast<double>(candidate.word_log_prob), true, score});
    } else if (alive < beam) {
      const std::size_t index = bank * beam + alive++;
      const int row = first_row_ + static_cast<int>(index);
      const Row& parent = rows_[static_cast<std::size_t>(candidate.row - first_row_)];
      next_[index] = {true, candidate.log_prob, parent.said | bit_of(candidate.word)};
      batch_.trellis.set(step, row, candidate.row, candidate.word, candidate.word_log_prob);
      batch_.tokens[static_cast<std::size_t>(row)] = candidate.word;
      batch_.parents[static_cast<std::size_t>(row)] = candidate.row;
    }
  }
}

/// Live hypotheses, of `words` words each, become endings as they are. Those that lack a required word do so only where
/// there is nothing better.
void ImageSearch::join_live(int words) {
  std::size_t highest = 0;
  for (const Row& row : rows_) {
    if (row.live) highest = std::max(highest, bank_of(row.said));
  }
  if (highest + 1 < banks() && !endings_.empty()) return;
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    const Row& row = rows_[i];
    if (!row.live || bank_of(row.said) != highest) continue;
    const double score = normalised(row.log_prob, words, false, batch_.options.length_penalty);
    endings_.push_back({words, first_row_ + static_cast<int>(i), row.log_prob, 0, false, score});
  }
}

/// With required words: whether a live hypothesis could still end better than the beam-th ending. Log-probabilities
/// only fall, and dividing by the greatest length makes the most of them.
bool ImageSearch::can_improve() const {
  if (batch_.to_say.empty()) return false;
  return std::any_of(rows_.begin(), rows_.end(), [&](const Row& row) {
    if (!row.live) return false;
    const SearchOptions& options = batch_.options;
    const double hope = normalised(row.log_prob, options.max_words, false, options.length_penalty);
    const auto no_worse = [hope](const Ending& ending) { return ending.score >= hope; };
    return std::count_if(endings_.begin(), endings_.end(), no_worse) < options.beam;
  });
}

std::vector<Hypothesis> ImageSearch::best() const {
  std::vector<Ending> endings = endings_;
  std::stable_sort(endings.begin(), endings.end(), [](const Ending& a, const Ending& b) { return a.score > b.score; });
  std::vector<Hypothesis> result;
  for (const Ending& ending : endings) {
    if (result.size() == static_cast<std::size_t>(batch_.options.top)) break;
    result.push_back(batch_.trellis.walk(ending));
  }
  return result;
}

}  // namespace

std::vector<std::vector<Hypothesis>> beam_search(StepModel& model, const SearchOptions& options) {
  Batch batch(model, options);
  std::vector<ImageSearch> images;
  images.reserve(static_cast<std::size_t>(model.images()));
  for (int image = 0; image < model.images(); ++image) images.emplace_back(batch, image);

  const auto open = [](const ImageSearch& image) { return image.open(); };
  for (int step = 0; step < options.max_words && std::any_of(images.begin(), images.end(), open); ++step) {
    const StepOutput output = model.step(batch.tokens, batch.parents);
    batch.trellis.record(step, output);
    for (ImageSearch& image : images) {
      if (image.open()) image.advance(step, output.log_probs);
    }
  }

  std::vector<std::vector<Hypothesis>> result;
  result.reserve(images.size());
  for (const ImageSearch& image : images) result.push_back(image.best());
  return result;
}

}  // namespace glimpse::search
