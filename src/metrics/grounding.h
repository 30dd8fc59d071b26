/// Whether captions name what is there, and whether the model attended to it at that word. For pictures whose content
/// and boxes are known, as those of `glimpse scenes`.
///
/// A content word is a shape, a colour or a size that some thing of the set has. Content words that follow each other
/// are a phrase: "small red circle". A phrase speaks of those things of its picture that all its words are true of.
/// Where there is none, each of its words speaks of those things that it is true of by itself; a word that is true of
/// nothing there is wrong, is counted as such, and has no region.
///
/// A word's region is the boxes of the things that it speaks of. A cell lies in a box if its centre does; and, so that
/// no box is too small for the map, if it holds the box's centre.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/geometry.h"

namespace glimpse::metrics {

/// What is known of a thing in a picture. Each of the three is one word, or empty where nobody says.
struct KnownThing {
  std::string shape;
  std::string colour;
  std::string size;
  Rect box;  ///< in the picture's pixels
};

/// A word of a caption, and how much each cell was attended to when it was said: [cells], or empty where that is not
/// known.
struct AttendedWord {
  std::string_view text;
  std::span<const float> alpha;
};

/// Attention scores. Shares are from 0 to 1, and 0 if there was nothing to count.
struct LookScores {
  double grounding = 0;  ///< share of content words whose most attended cell lies in their region
  double mass = 0;       ///< share of the attention that lies in it, mean over those words
  double entropy = 0;  ///< −Σ p log2 p of the attention over the cells, in bits, mean over all words of the captions
};

struct SceneScores {
  std::size_t captions = 0;
  std::size_t content_words = 0;  ///< the wrong ones among them
  double wrong_words = 0;         ///< share of the content words that are true of nothing in their picture
  /// Share of captions that name shape and colour right: at least one phrase has both, and of every phrase's shapes and
  /// colours there is a thing that has them all.
  double right = 0;
  double named = 0;                 ///< share of the pictures' things that are named so, by shape and colour
  std::optional<LookScores> looks;  ///< none where no word's attention is known
};

/// Collects captions and sums them up.
class SceneCounts {
 public:
  /// Makes the things' words content words; a set's pictures are all told before the first caption.
  void know(std::span<const KnownThing> things);
  bool knows_anything() const { return !kinds_.empty(); }

  /// A caption of a picture that shows `things`; `cells` [cells] is what part of the picture each cell sees.
  void add(std::span<const AttendedWord> caption, std::span<const KnownThing> things, std::span<const Rect> cells);
  SceneScores scores() const;

 private:
  enum class Kind { kShape, kColour, kSize };
  using Phrase = std::span<const AttendedWord>;
  using Things = std::vector<const KnownThing*>;

  void know(const std::string& word, Kind kind);
  bool is_content(std::string_view word) const { return kinds_.contains(word); }
  /// Whether the phrase says no wrong shape and colour; marks in `named` the things that it names by both.
  bool judge(Phrase phrase, std::span<const KnownThing> things, std::vector<bool>& named) const;
  void look(Phrase phrase, std::span<const KnownThing> things, std::span<const Rect> cells);
  void look(const AttendedWord& word, const Things& region, std::span<const Rect> cells);

  std::map<std::string, Kind, std::less<>> kinds_;
  std::size_t captions_ = 0;
  std::size_t right_ = 0;
  std::size_t things_ = 0;
  std::size_t named_ = 0;
  std::size_t content_words_ = 0;
  std::size_t wrong_words_ = 0;
  std::size_t looked_ = 0;  ///< content words with a region whose attention is known
  std::size_t inside_ = 0;  ///< of those
  double mass_ = 0;
  std::size_t attended_ = 0;  ///< words of any sort whose attention is known
  double entropy_ = 0;
};

}  // namespace glimpse::metrics
