#include "eval/set_scores.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <unordered_set>

#include "decoder/vocabulary.h"

namespace glimpse::eval {
namespace {

using train::CaptionedPicture;
using train::CaptionedSet;

bool has_splits(const CaptionedSet& set) {
  return std::any_of(set.pictures.begin(), set.pictures.end(),
                     [](const auto& picture) { return !picture.split.empty(); });
}

std::optional<double> novel_share(const std::vector<std::string>& captions, const CaptionedSet& all) {
  const auto key = [](const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) text += word + ' ';
    return text;
  };
  std::unordered_set<std::string> seen;
  for (const CaptionedPicture& picture : all.pictures) {
    if (picture.split != "train" && picture.split != "restval") continue;
    for (const std::vector<std::string>& words : picture.tokens) seen.insert(key(words));
  }
  if (seen.empty() || captions.empty()) return std::nullopt;
  const auto novel = std::count_if(captions.begin(), captions.end(), [&](const std::string& caption) {
    return !seen.contains(key(tokenise_caption(caption)));
  });
  return static_cast<double>(novel) / static_cast<double>(captions.size());
}

metrics::SceneCounts counts_for(const CaptionedSet& all) {
  metrics::SceneCounts counts;
  for (const CaptionedPicture& picture : all.pictures) counts.know(picture.things);
  return counts;
}

/// All scores but those of scenes.
SetScores score_words(std::span<const io::CaptionResult> results, const CaptionedSet& set, const CaptionedSet& all) {
  std::vector<std::string> captions;
  std::vector<std::vector<std::string>> references;
  for (const io::CaptionResult& result : results) {
    captions.push_back(result.caption);
    references.push_back(set.pictures[result.picture].captions);
  }
  return {metrics::score_captions(captions, references), novel_share(captions, all), std::nullopt};
}

}  // namespace

CaptionedSet set_to_score(const CaptionedSet& all, const std::optional<std::string>& split) {
  return split || has_splits(all) ? take_split(all, split.value_or("test")) : all;
}

SetScores score_set(std::span<const io::CaptionResult> captions, const CaptionedSet& set, const CaptionedSet& all) {
  SetScores scores = score_words(captions, set, all);
  metrics::SceneCounts counts = counts_for(all);
  if (!counts.knows_anything()) return scores;
  for (const io::CaptionResult& result : captions) {
    const std::vector<std::string> words = tokenise_caption(result.caption);
    std::vector<metrics::AttendedWord> caption;
    for (const std::string& word : words) caption.push_back({word, {}});
    counts.add(caption, set.pictures[result.picture].things, {});
  }
  scores.scene = counts.scores();
  return scores;
}

Evaluation evaluate(const CaptionedSet& set, const CaptionedSet& all, const Captioner& captioner,
                    const CaptionOptions& options, const SetEvents& events, const std::stop_token& stop) {
  metrics::SceneCounts counts = counts_for(all);
  CaptionListener listener;
  if (counts.knows_anything()) {
    listener = [&](const io::CaptionResult& result, const Caption& said, std::span<const Rect> cells) {
      std::vector<metrics::AttendedWord> caption;
      for (const Glimpse& glimpse : said.glimpses) caption.push_back({glimpse.word, glimpse.alpha});
      counts.add(caption, set.pictures[result.picture].things, cells);
    };
  }
  Evaluation evaluation;
  evaluation.made = caption_set(set.pictures, captioner, options, events, stop, listener);
  if (evaluation.made.captions.empty() || stop.stop_requested()) return evaluation;
  evaluation.scores = score_words(evaluation.made.captions, set, all);
  if (listener) evaluation.scores->scene = counts.scores();
  return evaluation;
}

Json as_json(const SetScores& all) {
  const metrics::Scores& scores = all.scores;
  Json json = {{"images", scores.images},
               {"bleu", Json::list(scores.bleu)},
               {"rouge_l", scores.rouge_l},
               {"cider", scores.cider}};
  json["mean_length"] = scores.mean_length;
  json["distinct_words"] = scores.distinct_words;
  json["novel_captions"] = all.novel ? Json(*all.novel) : Json();
  if (!all.scene) return json;
  json["shape_and_colour_right"] = all.scene->right;
  json["things_named"] = all.scene->named;
  json["wrong_words"] = all.scene->wrong_words;
  if (!all.scene->looks) return json;
  json["grounding"] = all.scene->looks->grounding;
  json["attention_inside"] = all.scene->looks->mass;
  json["attention_entropy"] = all.scene->looks->entropy;
  return json;
}

std::string as_table(const SetScores& all) {
  const metrics::Scores& scores = all.scores;
  std::string text;
  const auto row = [&text](const char* label, double value, int decimals, const char* unit) {
    std::array<char, 96> line{};
    std::snprintf(line.data(), line.size(), "%-22s %8.*f%s\n", label, decimals, value, unit);
    text += line.data();
  };
  const auto share = [&row](const char* label, double value) { row(label, 100 * value, 1, " %"); };
  row("pictures", static_cast<double>(scores.images), 0, "");
  for (std::size_t i = 0; i < scores.bleu.size(); ++i) share(("BLEU-" + std::to_string(i + 1)).c_str(), scores.bleu[i]);
  share("ROUGE-L", scores.rouge_l);
  share("CIDEr", scores.cider);
  row("words a caption", scores.mean_length, 1, "");
  row("distinct words", scores.distinct_words, 0, "");
  if (all.novel) share("novel captions", *all.novel);
  if (!all.scene) return text;
  share("shape and colour right", all.scene->right);
  share("things named", all.scene->named);
  share("wrong content words", all.scene->wrong_words);
  if (!all.scene->looks) return text;
  share("grounding", all.scene->looks->grounding);
  share("attention inside", all.scene->looks->mass);
  row("attention entropy", all.scene->looks->entropy, 2, " bits");
  return text;
}

}  // namespace glimpse::eval
