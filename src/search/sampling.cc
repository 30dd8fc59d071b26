#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/random.h"
#include "search/filter.h"
#include "search/options.h"
#include "search/trellis.h"

namespace glimpse::search {
namespace {

struct Choice {
  float log_prob = 0;
  int word = 0;
  double weight = 0;
};

bool likelier(const Choice& a, const Choice& b) {
  return a.log_prob != b.log_prob ? a.log_prob > b.log_prob : a.word < b.word;
}

bool less_likely(const Choice& a, const Choice& b) { return likelier(b, a); }

/// Draws words: of the top-k, at the temperature, of the top-p that these make.
class Sampler {
 public:
  Sampler(const SamplingOptions& options, int vocabulary_size)
      : options_(options), choices_(static_cast<std::size_t>(vocabulary_size)) {}

  /// A word of log_probs [vocabulary] that is not banned, or null where there is none; valid until the next draw.
  const Choice* draw(std::span<const float> log_probs, std::span<const std::uint8_t> banned, Random& random);

 private:
  using Choices = std::span<Choice>;
  Choices possible(std::span<const float> log_probs, std::span<const std::uint8_t> banned);
  Choices top_k(Choices choices) const;
  double weigh(Choices choices) const;
  Choices top_p(Choices choices, double& total) const;

  const SamplingOptions options_;
  std::vector<Choice> choices_;  ///< [vocabulary]
};

Sampler::Choices Sampler::possible(std::span<const float> log_probs, std::span<const std::uint8_t> banned) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < log_probs.size(); ++i) {
    if (banned[i] == 0 && log_probs[i] > -std::numeric_limits<float>::infinity()) {
      choices_[count++] = {log_probs[i], static_cast<int>(i), 0};
    }
  }
  return Choices(choices_).first(count);
}

Sampler::Choices Sampler::top_k(Choices choices) const {
  const auto k = static_cast<std::size_t>(options_.top_k);
  if (k == 0 || k >= choices.size()) return choices;
  std::nth_element(choices.begin(), choices.begin() + options_.top_k - 1, choices.end(), likelier);
  return choices.first(k);
}

/// Weights in proportion to the probabilities at the temperature; gives their sum.
double Sampler::weigh(Choices choices) const {
  const double most = std::min_element(choices.begin(), choices.end(), likelier)->log_prob;
  double total = 0;
  for (Choice& choice : choices) {
    choice.weight = std::exp((static_cast<double>(choice.log_prob) - most) / options_.temperature);
    total += choice.weight;
  }
  return total;
}

/// The likeliest come off a heap until they have enough of the weight: a few, where the model is sure.
Sampler::Choices Sampler::top_p(Choices choices, double& total) const {
  if (options_.top_p >= 1) return choices;
  std::make_heap(choices.begin(), choices.end(), less_likely);
  double kept = 0;
  std::size_t rest = choices.size();
  while (rest > 0 && kept < options_.top_p * total) {
    std::pop_heap(choices.begin(), choices.begin() + static_cast<std::ptrdiff_t>(rest), less_likely);
    kept += choices[--rest].weight;
  }
  total = kept;
  return choices.subspan(rest);
}

const Choice* Sampler::draw(std::span<const float> log_probs, std::span<const std::uint8_t> banned, Random& random) {
  Choices choices = top_k(possible(log_probs, banned));
  if (choices.empty()) return nullptr;
  double total = weigh(choices);
  choices = top_p(choices, total);
  double left = random.uniform() * total;
  for (const Choice& choice : choices) {
    left -= choice.weight;
    if (left < 0) return &choice;
  }
  return &choices.back();  // rounding left a rest
}

/// All samples of a batch: sample s of an image is its row s, and goes its own way.
class Samples {
 public:
  Samples(StepModel& model, const SearchOptions& options);
  std::vector<std::vector<Hypothesis>> run();

 private:
  struct Row {
    Random random;
    bool open = true;
    Ending ending;
  };

  void advance(int step, int row, Row& sample, std::span<const float> log_probs);

  StepModel& model_;
  const SearchOptions& options_;
  Sampler sampler_;
  WordFilter filter_;
  Trellis trellis_;
  std::vector<Row> rows_;  ///< [images × top]
  std::vector<int> tokens_;
  std::vector<int> parents_;
};

Samples::Samples(StepModel& model, const SearchOptions& options)
    : model_(model),
      options_(options),
      sampler_(*options.sampling, model.vocabulary_size()),
      filter_(model.vocabulary_size(), options.forbidden),
      trellis_(options.max_words, model),
      tokens_(static_cast<std::size_t>(model.images() * model.rows_per_image()), model.start_id()),
      parents_(tokens_.size()) {
  std::iota(parents_.begin(), parents_.end(), 0);
  for (int image = 0; image < model.images(); ++image) {
    Random seeds(options.image_seeds.empty() ? options.seed : options.image_seeds[static_cast<std::size_t>(image)]);
    for (int s = 0; s < options.top; ++s) {
      rows_.push_back({Random(seeds.next()), true, {}});
      rows_.back().ending.row = image * model.rows_per_image() + s;
    }
  }
}

void Samples::advance(int step, int row, Row& sample, std::span<const float> log_probs) {
  Ending& ending = sample.ending;
  Choice choice;
  if (static_cast<std::size_t>(step) < options_.prefix.size()) {
    choice.word = options_.prefix[static_cast<std::size_t>(step)];
    choice.log_prob = log_probs[static_cast<std::size_t>(choice.word)];
    if (choice.log_prob == -std::numeric_limits<float>::infinity()) throw_never_said(options_, "prefix", choice.word);
  } else {
    if (step < options_.min_words) filter_.ban(model_.end_id());
    filter_.ban_repeats(trellis_.words(row, step), options_.no_repeat_ngram);
    const Choice* drawn = sampler_.draw(log_probs, filter_.banned(), sample.random);
    filter_.lift();
    if (drawn == nullptr) {
      check_numbers(log_probs);
      sample.open = false;
      return;
    }
    choice = *drawn;
  }
  ending.log_prob += static_cast<double>(choice.log_prob);
  if (choice.word == model_.end_id()) {
    ending.end_log_prob = static_cast<double>(choice.log_prob);
    ending.ended = true;
    sample.open = false;
    return;
  }
  trellis_.set(step, row, row, choice.word, choice.log_prob);
  tokens_[static_cast<std::size_t>(row)] = choice.word;
  ++ending.words;
}

std::vector<std::vector<Hypothesis>> Samples::run() {
  const auto vocabulary = static_cast<std::size_t>(model_.vocabulary_size());
  const auto open = [](const Row& row) { return row.open; };
  for (int step = 0; step < options_.max_words && std::any_of(rows_.begin(), rows_.end(), open); ++step) {
    const StepOutput output = model_.step(tokens_, parents_);
    trellis_.record(step, output);
    for (Row& row : rows_) {
      const auto index = static_cast<std::size_t>(row.ending.row);
      if (row.open) advance(step, row.ending.row, row, output.log_probs.subspan(index * vocabulary, vocabulary));
    }
  }
  std::vector<std::vector<Hypothesis>> result(static_cast<std::size_t>(model_.images()));
  for (Row& row : rows_) {
    Ending& ending = row.ending;
    ending.score = normalised(ending.log_prob, ending.words, ending.ended, options_.length_penalty);
    result[static_cast<std::size_t>(ending.row / model_.rows_per_image())].push_back(trellis_.walk(ending));
  }
  for (std::vector<Hypothesis>& samples : result) {
    std::stable_sort(samples.begin(), samples.end(),
                     [](const Hypothesis& a, const Hypothesis& b) { return a.score > b.score; });
  }
  return result;
}

}  // namespace

std::vector<std::vector<Hypothesis>> sample(StepModel& model, const SearchOptions& options) {
  return Samples(model, options).run();
}

}  // namespace glimpse::search
