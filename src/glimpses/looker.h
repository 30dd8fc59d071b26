/// Runs a model that looks around: const and shared by all, with a session for what changes as it looks. Places are
/// where the network says, without chance.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "glimpses/look_model.h"
#include "glimpses/retina.h"
#include "image/image.h"

namespace glimpse {

/// One look at the picture.
struct LookGlimpse {
  Place place;
  std::vector<Rect> boxes;     ///< of the patches, sharpest first, in pixels of the source picture
  std::vector<float> patches;  ///< [scales, patch, patch], as the model saw them
};

/// What was said after some glimpses.
struct LookObject {
  int id = 0;        ///< index of classes, or the end's
  std::string name;  ///< the class; empty for the end
  double probability = 0;
  std::vector<LookGlimpse> glimpses;
};

struct Look {
  std::vector<LookObject> objects;  ///< one, or with DRAM those up to the end, which is among them where it was said
  std::string answer() const;       ///< the classes' names one after the other
  double probability() const;       ///< of all that was said
};

class Looker {
 public:
  /// Throws Error(kModel) for tensors that are missing, have other shapes or are not finite.
  explicit Looker(const LookModel& model);
  ~Looker();
  Looker(Looker&&) noexcept;
  Looker& operator=(Looker&&) noexcept;

  const LookConfig& config() const;

  struct Network;

 private:
  friend class LookSession;
  std::shared_ptr<const Network> network_;
};

/// Of one picture after the other; used by one thread at a time.
class LookSession {
 public:
  explicit LookSession(const Looker& looker);
  ~LookSession();
  LookSession(LookSession&&) noexcept;
  LookSession& operator=(LookSession&&) noexcept;

  /// `pixels` [height, width] of the model's size, in 0..1; boxes are in its pixels.
  Look look(std::span<const float> pixels);
  /// A picture of any size, fitted into the model's; boxes are in pixels of its upright source.
  Look look(const Image& image);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace glimpse
