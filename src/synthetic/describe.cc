#include "synthetic/describe.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <string_view>
#include <utility>

#include "core/text.h"

namespace glimpse::scenes {
namespace {

/// Puts a caption together piece by piece.
class Sentence {
 public:
  Sentence(const Scene& scene, Random& random) : scene_(scene), random_(random) {}

  Sentence& say(std::string_view words, const std::vector<int>& things = {}) {
    for (const std::string_view word : split_words(words)) caption_.push_back({std::string(word), things});
    return *this;
  }

  /// "a small red circle"; the size is left out now and then.
  Sentence& thing(int index) {
    const Thing& thing = scene_.things[static_cast<std::size_t>(index)];
    std::vector<std::string_view> words;
    if (random_.below(3) != 0) words.push_back(name(thing.size));
    words.push_back(name(thing.colour));
    words.push_back(name(thing.shape));
    say(words.front() == "orange" ? "an" : "a");
    for (const std::string_view word : words) say(word, {index});
    return *this;
  }

  /// How the first stands to the second.
  Sentence& relation(int a, int b) {
    constexpr std::array<std::string_view, 4> kShort = {"left of", "right of", "above", "below"};
    constexpr std::array<std::string_view, 4> kLong = {"to the left of", "to the right of", "above", "under"};
    const auto index = static_cast<std::size_t>(
        scenes::relation(scene_.things[static_cast<std::size_t>(a)], scene_.things[static_cast<std::size_t>(b)]));
    return say(random_.below(2) == 0 ? kShort[index] : kLong[index], {a, b});
  }

  /// Which part of the picture it stands in.
  Sentence& place(int index) {
    constexpr double kThird = 1.0 / 3;
    const Thing& thing = scene_.things[static_cast<std::size_t>(index)];
    const auto side = [](double value) { return value < kThird ? -1 : value > 1 - kThird ? 1 : 0; };
    const int across = side(thing.x);
    const int down = side(thing.y);
    if (across == 0 && down == 0) return say("in the middle", {index});
    // Of a corner either of its sides may be said.
    if (down != 0 && (across == 0 || random_.below(2) == 0))
      return say(down < 0 ? "at the top" : "at the bottom", {index});
    return say(across < 0 ? "on the left" : "on the right", {index});
  }

  SceneCaption done() { return std::move(caption_); }

 private:
  const Scene& scene_;
  Random& random_;
  SceneCaption caption_;
};

SceneCaption of_one(const Scene& scene, Random& random) {
  Sentence sentence(scene, random);
  switch (random.below(4)) {
    case 0:
      return sentence.thing(0).done();
    case 1:
      return sentence.say("there is").thing(0).done();
    case 2:
      return sentence.say("a picture of").thing(0).done();
    default:
      return sentence.thing(0).place(0).done();
  }
}

/// A decoder that looks before it hears its own last word (Xu et al. 2015) cannot know which of the things a sentence
/// has picked by chance; one that looks afterwards can (Lu et al. 2017).
std::vector<int> telling_order(const Scene& scene, TellingOrder telling, Random& random) {
  std::vector<int> order(scene.things.size());
  std::iota(order.begin(), order.end(), 0);
  if (telling == TellingOrder::kRandom) {
    for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
    return order;
  }
  std::ranges::sort(order, {}, [&](int index) {
    const Thing& thing = scene.things[static_cast<std::size_t>(index)];
    return std::pair(thing.size == Size::kSmall, thing.x + thing.y);
  });
  return order;
}

SceneCaption of_two(const Scene& scene, TellingOrder telling, Random& random) {
  const std::vector<int> order = telling_order(scene, telling, random);
  const int a = order[0];
  const int b = order[1];
  Sentence sentence(scene, random);
  switch (random.below(5)) {
    case 0:
      return sentence.thing(a).say("and").thing(b).done();
    case 1:
      return sentence.say("there is").thing(a).relation(a, b).thing(b).done();
    case 2:
      return sentence.thing(a).say("is").relation(a, b).thing(b).done();
    default:
      return sentence.thing(a).relation(a, b).thing(b).done();
  }
}

SceneCaption of_three(const Scene& scene, TellingOrder telling, Random& random) {
  const std::vector<int> order = telling_order(scene, telling, random);
  const int a = order[0];
  const int b = order[1];
  const int c = order[2];
  Sentence sentence(scene, random);
  switch (random.below(3)) {
    case 0:
      return sentence.thing(a).say("and").thing(b).say("and").thing(c).done();
    case 1:
      return sentence.thing(a).say("with").thing(b).say("and").thing(c).done();
    default:
      return sentence.thing(a).relation(a, b).thing(b).say("and").thing(c).done();
  }
}

SceneCaption say(const Scene& scene, TellingOrder telling, Random& random) {
  if (scene.things.size() == 1) return of_one(scene, random);
  return scene.things.size() == 2 ? of_two(scene, telling, random) : of_three(scene, telling, random);
}

}  // namespace

std::string text(const SceneCaption& caption) {
  std::string result;
  for (const SceneWord& word : caption) result += (result.empty() ? "" : " ") + word.text;
  return result;
}

std::vector<SceneCaption> describe(const Scene& scene, int count, Random& random, TellingOrder telling) {
  constexpr int kPatience = 20;  // a scene of one thing can be told in few ways
  std::vector<SceneCaption> captions;
  std::vector<std::string> known;
  while (std::ssize(captions) < count) {
    SceneCaption caption = say(scene, telling, random);
    for (int tries = 0; tries < kPatience && std::ranges::find(known, text(caption)) != known.end(); ++tries) {
      caption = say(scene, telling, random);
    }
    known.push_back(text(caption));
    captions.push_back(std::move(caption));
  }
  return captions;
}

}  // namespace glimpse::scenes
