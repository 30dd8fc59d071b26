/// A training recipe: a text file of `[section]` lines, `key = value` lines and comments from `#` on (at the start of a
/// line or after white space). Every key has the default that stands here; a stage runs if its section is there. Keys
/// are the members' names with hyphens for underscores, except where a member's comment gives them.
///
///     name = my-model
///     [data]
///     captions = captions.json    # relative to the recipe's folder
///     [caption]
///     epochs = 10
///
/// A recipe may begin with `base = other.conf`. It then inherits everything in that file, with paths relative to it,
/// and overrides or adds.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "synthetic/digits.h"
#include "glimpses/look_model.h"
#include "image/augment.h"
#include "model/model.h"

namespace glimpse::train {

struct DataOptions {
  std::filesystem::path captions;  ///< captioned set: Karpathy's or COCO's JSON, or JSONL
  std::filesystem::path photos;    ///< folder that the set's file names are relative to
  std::vector<std::string> train_splits = {"train"};
  std::string val_split = "val";
  std::string val_folder;                         ///< validate only on photos below this folder; empty: on all
  std::vector<std::filesystem::path> unlabelled;  ///< folders of pictures without captions, for distill
  std::filesystem::path sentences;                ///< text or .gz, a sentence a line, for language-epochs
  int vocabulary_threshold = 5;                   ///< words seen less often become <unk>
  int max_words = 20;                             ///< longer captions are cut; the end is not counted
};

struct EncoderOptions {
  std::filesystem::path graph;  ///< network as text, as net/graph.h has it
  std::string output;           ///< the node whose map the decoder attends to
  std::filesystem::path start;  ///< safetensors whose tensors of the same names are taken; empty: random
  Preprocess input = {.mean = {127.5, 127.5, 127.5},
                      .std = {127.5, 127.5, 127.5}};  ///< width, height, resize, mean, std
};

struct DecoderOptions {
  std::string kind = "show-attend-tell";
  std::filesystem::path graph;  ///< the step as text (net/step_graph.h) in place of the formulas; may be empty
  DecoderConfig
      formulas;         ///< feature-projection, score, heads, selector, window, channels, history, gate, init, output
  int feature = 512;    ///< channels of the projected map
  int attention = 256;  ///< of keys and queries
  int hidden = 512;     ///< of the LSTM
  int embedding = 256;  ///< of a word
  int deep = 512;       ///< of the deep output
};

/// Options of every stage.
struct StageOptions {
  enum class Optimiser { kAdamW, kSgd };
  enum class Schedule { kCosine, kConstant };
  int epochs = 1;  ///< over the stage's pictures
  int batch = 32;  ///< pictures a step
  Optimiser optimiser = Optimiser::kAdamW;
  double learning_rate = 1e-3;  ///< at its peak, after warm-up
  double weight_decay = 0;  ///< decoupled from the gradient (Loshchilov and Hutter 2019): a step takes rate × decay
  double momentum = 0.9;    ///< of sgd
  double beta1 = 0.9;       ///< of adamw
  double beta2 = 0.999;
  int warm_up = 200;                      ///< steps over which the rate rises from 0
  Schedule schedule = Schedule::kCosine;  ///< after warm-up: down to 0 at the stage's end, or none
  double clip = 5;                        ///< largest norm of all gradients together; 0: any
  double average = 0;                     ///< decay a step of the weights' moving average; 0: none is kept
  int validate_every = 1;                 ///< epochs
  int checkpoint_every = 600;             ///< seconds
  AugmentOptions augment;                 ///< flip, crop-scale, crop-ratio (two numbers each), colour
};

/// Distillation: the encoder learns a teacher's feature maps, and optionally its classes.
struct DistillStage : StageOptions {
  std::filesystem::path teacher_graph;
  std::filesystem::path teacher_weights;
  std::string teacher_output;   ///< the node of the class logits
  bool teacher_dilate = false;  ///< the last stride becomes dilation: a map twice as fine in both directions
  std::array<double, 3> teacher_mean = {127.5, 127.5, 127.5};  ///< of the teacher's input, in 0..255
  std::array<double, 3> teacher_std = {127.5, 127.5, 127.5};
  std::vector<std::string> target;  ///< the teacher's nodes whose maps are learnt, side by side
  double logits_weight = 0;         ///< of the Kullback-Leibler divergence from the teacher's classes
  double temperature = 1;           ///< that both classifications are softened by
  std::filesystem::path cache;      ///< folder for what the teacher says of each picture's views; empty: a new view in
                                    ///< each epoch, and the teacher looks at each
  int views = 4;                    ///< with a cache: augmentations of a picture, learnt in turn from epoch to epoch
};

/// Options of the stages with a decoder.
struct DecoderStage : StageOptions {
  int captions_per_photo = 5;     ///< a step, of each photo of the batch; all where it has fewer
  double label_smoothing = 0.1;   ///< probability given to all words evenly
  double doubly_stochastic = 1;   ///< weight of Σ (1 − Σ α)² (Xu et al. 2015, equation 14)
  double dropout_features = 0.5;  ///< of the projected map
  double dropout_embedding = 0.3;
  double dropout_output = 0.5;  ///< before the words' logits
  // Of hard attention, by REINFORCE (Xu et al. 2015, section 4.1), whose gradient is that of
  // log p(y|s) + λ_r (log p(y|s) − b) log p(s) + λ_e H[s]; b is a moving mean of log p(y|s).
  double hard_rate = 1;              ///< λ_r
  double hard_entropy = 0.002;       ///< λ_e
  double hard_expectation = 0.5;     ///< probability with which a photo's captions see the mean of all cells instead
  double hard_baseline_decay = 0.9;  ///< what a step leaves of b
  std::filesystem::path start;  ///< model whose decoder is gone on with, its layer on the map only where the encoder's
                                ///< maps have as many channels, and its words by their spelling; empty: the stage
                                ///< before, else random
};

/// Trains the decoder by teacher forcing; the encoder is frozen.
struct CaptionStage : DecoderStage {
  std::filesystem::path cache;  ///< folder for the encoder's maps, computed once; empty: computed at every step
  int language_epochs = 0;      ///< before all else, on data.sentences and the captions without pictures
};

/// Trains encoder and decoder together.
struct FinetuneStage : DecoderStage {
  double encoder_learning_rate = 1e-4;
  bool freeze_statistics = true;  ///< batch norm uses its running statistics and leaves them as they are
};

/// Self-critical training on CIDEr-D (Rennie et al. 2017). captions-per-photo, label-smoothing, hard-rate and
/// hard-baseline-decay are no keys of it: the captions' advantages judge the cells that hard attention drew as well.
struct ScstStage : FinetuneStage {
  enum class Baseline { kGreedy, kMean };  ///< the greedy caption's reward, or the other samples' mean
  ScstStage() {
    // The gradient is of what is said: by the network as it runs, without dropout and without a second aim.
    doubly_stochastic = 0;
    dropout_features = dropout_embedding = dropout_output = 0;
  }
  int samples = 5;         ///< captions drawn a photo
  double temperature = 1;  ///< of the softmax that draws and learns: below 1, nearer to what the search will say
  Baseline baseline = Baseline::kMean;
  std::filesystem::path cache;  ///< as caption's, where encoder-learning-rate is 0
};

/// Generated digits, for look.
struct DigitData {
  digits::DigitOptions pictures;  ///< kind, width, height, clutter, least, most
  int train = 20'000;             ///< pictures of an epoch; no epoch has any of another's
  int validation = 1'000;
};

/// A glimpse model learns where to look and what to answer from the right answers alone: cross entropy for what it
/// says, REINFORCE with a learnt baseline for where it looks (Mnih et al. 2014, equation 2; Ba et al. 2015).
struct LookStage : StageOptions {
  /// The reward of a sequence of glimpses: whether the answer is right, as in the papers, or the probability of the
  /// right answer, which is less noisy.
  enum class Reward { kCorrect, kProbability };
  LookConfig formulas;           ///< kind, core, patch, scales, glimpses, coarse
  LookShape shape;               ///< features, glimpse, hidden
  int samples = 1;               ///< ways of looking drawn for each picture
  double deviation_first = 0.3;  ///< deviation: of places from where the network says, half the picture being 1, at
  double deviation_last = 0.1;   ///< the first step and at the last; evenly from the one to the other
  Reward reward = Reward::kProbability;
  double early = 0;  ///< weight of the cross entropy of what would be said after each earlier glimpse
};

struct Recipe {
  std::string name;
  std::filesystem::path output;  ///< the bundle that is made
  std::filesystem::path from;    ///< a model that goes on learning, its encoder and decoder; empty: made anew
  std::uint64_t seed = 1;
  int threads = 0;  ///< 0: all that the process may use
  std::string precision = "f32";
  std::filesystem::path folder;  ///< the recipe's own, absolute, not its base's; not a key

  DataOptions data;
  EncoderOptions encoder;
  DecoderOptions decoder;
  std::optional<DistillStage> distill;
  std::optional<CaptionStage> caption;
  std::optional<FinetuneStage> finetune;
  std::optional<ScstStage> scst;
  std::optional<DigitData> digits;
  std::optional<LookStage> look;
};

/// Throws Error: as read_file for the file; kUsage naming file, line and key for what is in it: unknown keys and
/// sections (with the nearest known), ones that stand there twice, values of the wrong kind or out of range, a base
/// that comes after something else, cannot be read, or leads back to a recipe that it is the base of.
Recipe read_recipe(const std::filesystem::path& path);
/// The same from memory; `file` stands for the file in messages, relative paths are relative to `folder`.
Recipe parse_recipe(std::string_view text, const std::string& file, const std::filesystem::path& folder);

/// Sets one key, "distill.epochs" or "seed", as a command line does: relative paths are relative to the working
/// directory. Throws Error(kUsage) as read_recipe does, and for a stage that the recipe does not have.
void set(Recipe& recipe, std::string_view key, std::string_view value);

/// Checks that the parts fit together and that every file and folder to be read exists. Throws Error: kUsage naming the
/// key, kMissing naming key and path.
void check(const Recipe& recipe);

/// The complete recipe as text, with the keys of its bases. Paths are relative to the recipe's folder, so that the text
/// is the same wherever it is made.
std::string to_text(const Recipe& recipe);

}  // namespace glimpse::train
