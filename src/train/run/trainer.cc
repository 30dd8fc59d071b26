#include "train/run/trainer.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/file.h"
#include "core/json.h"
#include "data/captioned_set.h"
#include "data/sentences.h"
#include "data/vocabulary_builder.h"
#include "dnn/runtime/threads.h"
#include "net/shapes.h"
#include "train/run/divergence.h"
#include "train/run/model_parts.h"
#include "train/run/training_folder.h"
#include "train/stages/captioning.h"
#include "train/stages/distillation.h"
#include "train/stages/look_training.h"
#include "train/stages/self_critical.h"

namespace glimpse::train {
namespace {

namespace fs = std::filesystem;

/// At most so many training pictures are used for validation if there are no others.
constexpr std::ptrdiff_t kMostValidated = 200;
constexpr std::string_view kScaffold = "distill.";  ///< name prefix of tensors that only training needs

/// All files below a folder, sorted by name. The loader skips and reports what is not a picture.
std::vector<fs::path> pictures_below(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  std::ranges::sort(files);
  if (files.empty()) throw Error(ErrorCode::kMissing, "there is no file in " + quote(folder.native()));
  return files;
}

}  // namespace

class Trainer::Impl {
 public:
  Impl(Recipe recipe, Observer& observer)
      : recipe_(std::move(recipe)),
        observer_(observer),
        kernels_(recipe_.threads > 0 ? recipe_.threads : dnn::available_threads()),
        folder_(recipe_, observer) {
    check(recipe_);
    if (recipe_.look) return;
    read_pictures();
    if (!recipe_.from.empty()) from_.emplace(Model::load(recipe_.from));
    read_encoder();
  }

  const fs::path& folder() const { return folder_.path(); }

  void run(Start start) {
    const dnn::ThreadCountScope scope(kernels_.threads());
    if (recipe_.look) return train_to_look(recipe_, folder_, start, kernels_, observer_);
    folder_.prepare(start);
    const bool captions = recipe_.caption || recipe_.finetune || recipe_.scst;
    if (captions) make_config();
    if (recipe_.distill) distill();
    if (!captions) return write_encoder();
    add_decoder();
    if (recipe_.caption && recipe_.caption->language_epochs > 0) language();
    if (recipe_.caption) caption();
    if (recipe_.finetune) finetune();
    if (recipe_.scst) self_critical();
    write_model();
  }

 private:
  static constexpr std::size_t kMaxGraphBytes = std::size_t{1} << 20;

  void read_encoder() {
    if (from_) {
      recipe_.encoder.input = from_->config().input;
      recipe_.encoder.output = from_->config().output_node;
      graph_text_ = from_->config().graph;
      graph_ = net::parse_graph(graph_text_, from_->config().graph_name);
    } else {
      graph_text_ = read_file(recipe_.encoder.graph, kMaxGraphBytes);
      graph_ = net::parse_graph(graph_text_, recipe_.encoder.graph.native());
    }
    graph_ = net::extract(graph_, {recipe_.encoder.output});
    add_parameters(graph_, {1, 3, recipe_.encoder.input.height, recipe_.encoder.input.width}, recipe_.seed,
                   parameters_);
    if (from_) parameters_.load(from_->weights());
    if (!recipe_.encoder.start.empty()) take_start();
  }

  void read_pictures() {
    if (!recipe_.data.captions.empty()) {
      CaptionedSet set = read_captioned_set(recipe_.data.captions, recipe_.data.photos);
      check_pictures_exist(set);
      for (CaptionedPicture& picture : set.pictures) {
        const auto& splits = recipe_.data.train_splits;
        if (picture.split.empty() || std::ranges::find(splits, picture.split) != splits.end()) {
          train_.push_back(std::move(picture));
        } else if (picture.split == recipe_.data.val_split && below_val_folder(picture.file)) {
          val_.push_back(std::move(picture));
        }
      }
    }
    if (val_.empty() && !train_.empty()) {
      val_.assign(train_.begin(), train_.begin() + std::min<std::ptrdiff_t>(kMostValidated, std::ssize(train_)));
      observer_.note("there are no pictures of the split " + quote(recipe_.data.val_split) +
                     " to validate on; the scores are of pictures that are learnt");
    }
    for (const fs::path& folder : recipe_.data.unlabelled) {
      const std::vector<fs::path> files = pictures_below(folder);
      unlabelled_.insert(unlabelled_.end(), files.begin(), files.end());
    }
  }

  bool below_val_folder(const fs::path& file) const {
    if (recipe_.data.val_folder.empty()) return true;
    const fs::path relative = file.lexically_relative(recipe_.data.photos / recipe_.data.val_folder);
    return !relative.empty() && *relative.begin() != "..";
  }

  void take_start() {
    const std::vector<std::string> missing = parameters_.load(Weights(recipe_.encoder.start));
    if (missing.empty()) return;
    observer_.note(quote(recipe_.encoder.start.native()) + " has no " + quote(missing[0]) +
                   (missing.size() > 1 ? " and " + std::to_string(missing.size() - 1) + " more" : "") +
                   "; they start from random numbers");
  }

  bool take_finished(const std::string& stage) { return folder_.take_finished(stage, parameters_, graph_text_); }
  void run_to_end(Stage& stage) { folder_.run_to_end(stage, graph_text_, std::string(kScaffold)); }

  void distill() {
    if (take_finished("distill")) return;
    DistillationInput input;
    input.options = *recipe_.distill;
    input.input = recipe_.encoder.input;
    input.encoder = graph_;
    for (const CaptionedPicture& picture : train_) input.pictures.push_back(picture.file);
    input.pictures.insert(input.pictures.end(), unlabelled_.begin(), unlabelled_.end());
    for (const CaptionedPicture& picture : val_) input.validation.push_back(picture.file);
    input.seed = recipe_.seed;
    Distillation stage(std::move(input), parameters_, kernels_);
    // An earlier distillation also left its projection onto the target.
    if (!recipe_.encoder.start.empty()) parameters_.load(Weights(recipe_.encoder.start));
    run_to_end(stage);
  }

  void make_config() {
    config_ = from_ ? extended_config(*from_, recipe_.name, recipe_.data.vocabulary_threshold, train_)
                    : new_config(recipe_, graph_, graph_text_, train_);
    const auto check = [&](const fs::path& start) {
      if (!start.empty()) check_start(Model::load(start), start.native(), config_);
    };
    if (recipe_.caption) check(recipe_.caption->start);
    if (recipe_.finetune) check(recipe_.finetune->start);
    if (recipe_.scst) check(recipe_.scst->start);
  }

  void add_decoder() {
    if (from_) {
      add_extended_decoder(*from_, config_, recipe_.seed, parameters_);
    } else {
      add_new_decoder(recipe_, config_, graph_, parameters_);
    }
  }

  void language() {
    if (take_finished("language")) return;
    const Vocabulary vocabulary(config_.vocabulary);
    LanguageInput input;
    input.options = *recipe_.caption;
    input.decoder = config_.decoder;
    input.seed = recipe_.seed;
    const auto take = [&](std::span<const std::string> words, std::vector<std::vector<int>>& sentences) {
      if (words.empty()) return;
      sentences.push_back(encode_caption(vocabulary, words, recipe_.data.max_words));
      sentences.back().pop_back();  // the end, which the decoder's loss adds itself
    };
    read_sentences(recipe_.data.sentences,
                   [&](std::string_view line) { take(tokenise_caption(line), input.sentences); });
    for (const CaptionedPicture& picture : train_) {
      for (const std::vector<std::string>& words : picture.tokens) take(words, input.sentences);
    }
    for (const CaptionedPicture& picture : val_) {
      for (const std::vector<std::string>& words : picture.tokens) take(words, input.validation);
    }
    LanguageLearning stage(std::move(input), parameters_, kernels_);
    run_to_end(stage);
  }

  PictureStageInput picture_input(const std::string& name, const DecoderStage& options) const {
    PictureStageInput input;
    input.name = name;
    input.options = options;
    input.config = config_;
    input.encoder = graph_;
    input.pictures = encode_pictures(train_, Vocabulary(config_.vocabulary), recipe_.data.max_words);
    input.validation = val_;
    input.seed = recipe_.seed;
    return input;
  }

  void caption() {
    if (take_finished("caption")) return;
    go_on_with(recipe_.caption->start);
    PictureStageInput input = picture_input("caption", *recipe_.caption);
    input.cache = recipe_.caption->cache;
    Captioning stage(std::move(input), parameters_, kernels_, observer_);
    run_to_end(stage);
  }

  void finetune() {
    if (take_finished("finetune")) return;
    go_on_with(recipe_.finetune->start);
    PictureStageInput input = picture_input("finetune", *recipe_.finetune);
    input.tune_encoder = true;
    input.encoder_learning_rate = recipe_.finetune->encoder_learning_rate;
    input.freeze_statistics = recipe_.finetune->freeze_statistics;
    Captioning stage(std::move(input), parameters_, kernels_, observer_);
    run_to_end(stage);
  }

  void self_critical() {
    if (take_finished("scst")) return;
    const ScstStage& options = *recipe_.scst;
    go_on_with(options.start);
    SelfCriticalInput input{picture_input("scst", options)};
    input.cache = options.cache;
    input.tune_encoder = options.encoder_learning_rate > 0;
    input.encoder_learning_rate = options.encoder_learning_rate;
    input.freeze_statistics = options.freeze_statistics;
    input.samples = options.samples;
    input.temperature = options.temperature;
    input.baseline = options.baseline;
    input.max_words = recipe_.data.max_words;
    SelfCritical stage(std::move(input), parameters_, kernels_, observer_);
    run_to_end(stage);
  }

  void go_on_with(const fs::path& start) {
    if (start.empty()) return;
    const std::int64_t channels = net::infer_shapes(
        graph_,
        {1, 3, recipe_.encoder.input.height, recipe_.encoder.input.width})[static_cast<std::size_t>(graph_.output)][1];
    if (take_decoder(Model::load(start), channels, config_.vocabulary, parameters_)) return;
    observer_.note("the decoder of " + quote(start.native()) + " saw maps of other channels than the encoder's " +
                   std::to_string(channels) + "; its first layer starts from random numbers");
  }

  void write_encoder() const {
    std::vector<NamedTensor> tensors;
    for (const auto& [name, view] : parameters_.views()) tensors.push_back({name, view});
    write_safetensors(recipe_.output, tensors, {});
  }

  void write_model() {
    config_.provenance = Json{{"recipe", to_text(recipe_)}}.dump();
    blame_training("the end", [&] { write_half_bundle(config_, parameters_.views(), recipe_.output); });
    observer_.note("the model is " + quote(recipe_.output.native()));
  }

  Recipe recipe_;
  Observer& observer_;
  dnn::Kernels kernels_;
  TrainingFolder folder_;
  std::vector<CaptionedPicture> train_;
  std::vector<CaptionedPicture> val_;
  std::vector<fs::path> unlabelled_;
  std::string graph_text_;
  net::GraphSpec graph_;
  std::optional<Model> from_;
  ParameterSet parameters_;
  ModelConfig config_;
};

Trainer::Trainer(Recipe recipe, Observer& observer) : impl_(std::make_unique<Impl>(std::move(recipe), observer)) {}
Trainer::~Trainer() = default;
Trainer::Trainer(Trainer&&) noexcept = default;
Trainer& Trainer::operator=(Trainer&&) noexcept = default;
void Trainer::run(Start start) { impl_->run(start); }
const std::filesystem::path& Trainer::folder() const { return impl_->folder(); }

}  // namespace glimpse::train
