/// Scores of a set's captions: against reference captions and, if the content of the pictures is known, against the
/// truth.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "core/json.h"
#include "eval/set_run.h"
#include "metrics/grounding.h"
#include "metrics/scores.h"

namespace glimpse::eval {

struct SetScores {
  metrics::Scores scores;
  /// The share of captions not found in the training set; none without training captions.
  std::optional<double> novel;
  std::optional<metrics::SceneScores> scene;  ///< if the set describes the content of its pictures
};

struct Evaluation {
  SetCaptions made;
  std::optional<SetScores> scores;  ///< of those; none where there are none, and after a stop
};

/// The pictures of `split`; without one those of the split test, or all where the set has no splits. Throws as
/// take_split.
train::CaptionedSet set_to_score(const train::CaptionedSet& all, const std::optional<std::string>& split);

/// Scores of captions of pictures of `set`, at least one. `all` is the file that `set` is a part of: which captions are
/// new and which words speak of things is known from it. What the model looked at is not.
SetScores score_set(std::span<const io::CaptionResult> captions, const train::CaptionedSet& set,
                    const train::CaptionedSet& all);

/// Captions the pictures of `set` as `caption_set` does and scores the captions.
Evaluation evaluate(const train::CaptionedSet& set, const train::CaptionedSet& all, const Captioner& captioner,
                    const CaptionOptions& options, const SetEvents& events = {}, const std::stop_token& stop = {});

/// One object.
Json as_json(const SetScores& scores);
/// A line a score, in per cent.
std::string as_table(const SetScores& scores);

}  // namespace glimpse::eval
