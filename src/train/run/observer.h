/// Progress callbacks of training. The library never prints; the caller shows what it likes and may ask training to
/// stop.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace glimpse::train {

/// Named numbers in the order in which they should be shown: the parts of a loss, the scores of a validation.
using Measures = std::vector<std::pair<std::string, double>>;

struct Progress {
  std::string_view stage;  ///< "distill", "caption", …
  int epoch = 0;           ///< from 1 on
  int epochs = 0;
  std::int64_t step = 0;  ///< of the whole stage, from 1 on
  std::int64_t steps = 0;
  double loss = 0;  ///< of this step
  double learning_rate = 0;
  double pictures_per_second = 0;  ///< recent average
  double seconds_left = 0;         ///< of the stage, at this rate
};

struct Validation {
  std::string_view stage;
  int epoch = 0;
  std::int64_t step = 0;
  Measures scores;    ///< "BLEU-4", "CIDEr", "loss", …; scores of captions as fractions: 0.21, not 21
  bool best = false;  ///< so far, so that these weights are the ones kept
};

/// Called by the training thread between steps. The default ignores everything and never asks to stop.
class Observer {
 public:
  virtual ~Observer() = default;

  virtual void progress(const Progress& /*progress*/) {}       ///< after every step
  virtual void validated(const Validation& /*validation*/) {}  ///< after every validation
  virtual void note(const std::string& /*text*/) {}  ///< one line, no newline: a damaged picture, a checkpoint saved
  /// Asked after every step; true makes training save and throw Error(kInterrupted). May be called from one thread
  /// while a signal handler changes the answer.
  virtual bool interrupted() { return false; }
};

}  // namespace glimpse::train
