/// Captions of a scene, with the things that each word names.
#pragma once

#include <string>
#include <vector>

#include "core/random.h"
#include "synthetic/scene.h"

namespace glimpse::scenes {

struct SceneWord {
  std::string text;
  /// Indices of the things that it speaks of: one for a size, a colour, a shape or a place, two for a relation, none
  /// for the words between.
  std::vector<int> things;
};

using SceneCaption = std::vector<SceneWord>;

std::string text(const SceneCaption& caption);

/// The order in which captions name things.
enum class TellingOrder {
  kLargeFirst,  ///< large things before small ones, equals from the left or the top on
  kRandom       ///< by chance, another order each caption
};

/// `count` captions of the scene, as different as it allows, all of them true.
std::vector<SceneCaption> describe(const Scene& scene, int count, Random& random,
                                   TellingOrder telling = TellingOrder::kLargeFirst);

}  // namespace glimpse::scenes
