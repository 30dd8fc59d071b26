#include "metrics/grounding.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>

namespace glimpse::metrics {
namespace {

bool is_true_of(const KnownThing& thing, std::string_view word) {
  return word == thing.shape || word == thing.colour || word == thing.size;
}

struct Place {
  double x;
  double y;
};

Place centre(const Rect& rect) { return {rect.x + rect.width / 2, rect.y + rect.height / 2}; }

/// With its left and upper edges, without the others, so that neighbours share nothing.
bool holds(const Rect& rect, const Place& place) {
  return place.x >= rect.x && place.x < rect.x + rect.width && place.y >= rect.y && place.y < rect.y + rect.height;
}

bool lies_in(const Rect& cell, const Rect& box) { return holds(box, centre(cell)) || holds(cell, centre(box)); }

double total(std::span<const float> alpha) { return std::accumulate(alpha.begin(), alpha.end(), 0.0); }

double entropy(std::span<const float> alpha) {
  const double sum = total(alpha);
  double bits = 0;
  for (const float weight : alpha) {
    const double share = weight / sum;
    if (share > 0) bits -= share * std::log2(share);
  }
  return bits;
}

double share(std::size_t part, std::size_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

void SceneCounts::know(const std::string& word, Kind kind) {
  if (!word.empty()) kinds_.emplace(word, kind);
}

void SceneCounts::know(std::span<const KnownThing> things) {
  for (const KnownThing& thing : things) {
    know(thing.shape, Kind::kShape);
    know(thing.colour, Kind::kColour);
    know(thing.size, Kind::kSize);
  }
}

void SceneCounts::add(std::span<const AttendedWord> caption, std::span<const KnownThing> things,
                      std::span<const Rect> cells) {
  bool is_right = true;
  std::vector<bool> named(things.size());
  for (std::size_t begin = 0; begin < caption.size();) {
    std::size_t end = begin;
    while (end < caption.size() && is_content(caption[end].text)) ++end;
    if (end > begin) {
      const Phrase phrase = caption.subspan(begin, end - begin);
      is_right = judge(phrase, things, named) && is_right;
      look(phrase, things, cells);
    }
    begin = std::max(end, begin + 1);
  }
  for (const AttendedWord& word : caption) {
    if (!(total(word.alpha) > 0)) continue;
    ++attended_;
    entropy_ += entropy(word.alpha);
  }
  const auto named_here = static_cast<std::size_t>(std::count(named.begin(), named.end(), true));
  ++captions_;
  if (is_right && named_here > 0) ++right_;
  things_ += things.size();
  named_ += named_here;
}

bool SceneCounts::judge(Phrase phrase, std::span<const KnownThing> things, std::vector<bool>& named) const {
  std::vector<std::string_view> words;
  bool has_shape = false;
  bool has_colour = false;
  for (const AttendedWord& word : phrase) {
    const Kind kind = kinds_.find(word.text)->second;
    has_shape |= kind == Kind::kShape;
    has_colour |= kind == Kind::kColour;
    if (kind != Kind::kSize) words.push_back(word.text);
  }
  bool is_right = words.empty();
  for (std::size_t i = 0; i < things.size(); ++i) {
    if (!std::ranges::all_of(words, [&](std::string_view word) { return is_true_of(things[i], word); })) continue;
    is_right = true;
    if (has_shape && has_colour) named[i] = true;
  }
  return is_right;
}

void SceneCounts::look(Phrase phrase, std::span<const KnownThing> things, std::span<const Rect> cells) {
  Things meant;
  for (const KnownThing& thing : things) {
    const auto is_true = [&](const AttendedWord& word) { return is_true_of(thing, word.text); };
    if (std::ranges::all_of(phrase, is_true)) meant.push_back(&thing);
  }
  for (const AttendedWord& word : phrase) {
    ++content_words_;
    Things region = meant;
    if (region.empty()) {
      for (const KnownThing& thing : things) {
        if (is_true_of(thing, word.text)) region.push_back(&thing);
      }
    }
    if (region.empty()) {
      ++wrong_words_;
    } else {
      look(word, region, cells);
    }
  }
}

void SceneCounts::look(const AttendedWord& word, const Things& region, std::span<const Rect> cells) {
  const double sum = total(word.alpha);
  if (!(sum > 0)) return;
  assert(word.alpha.size() == cells.size());
  const auto is_inside = [&](std::size_t cell) {
    return std::ranges::any_of(region, [&](const KnownThing* thing) { return lies_in(cells[cell], thing->box); });
  };
  double inside = 0;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (is_inside(i)) inside += word.alpha[i];
  }
  ++looked_;
  mass_ += inside / sum;
  const auto peak = std::ranges::max_element(word.alpha) - word.alpha.begin();
  if (is_inside(static_cast<std::size_t>(peak))) ++inside_;
}

SceneScores SceneCounts::scores() const {
  SceneScores scores;
  scores.captions = captions_;
  scores.content_words = content_words_;
  scores.wrong_words = share(wrong_words_, content_words_);
  scores.right = share(right_, captions_);
  scores.named = share(named_, things_);
  if (attended_ > 0) {
    scores.looks = {share(inside_, looked_), looked_ == 0 ? 0 : mass_ / static_cast<double>(looked_),
                    entropy_ / static_cast<double>(attended_)};
  }
  return scores;
}

}  // namespace glimpse::metrics
