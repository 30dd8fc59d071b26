#include "train/recipe/recipe_fields.h"

#include <algorithm>
#include <array>
#include <limits>
#include <span>
#include <vector>

#include "train/recipe/recipe_field_list.h"

namespace glimpse::train {
namespace {

constexpr Spelling<StageOptions::Optimiser> kOptimisers[] = {{StageOptions::Optimiser::kAdamW, "adamw"},
                                                             {StageOptions::Optimiser::kSgd, "sgd"}};
constexpr Spelling<StageOptions::Schedule> kSchedules[] = {{StageOptions::Schedule::kCosine, "cosine"},
                                                           {StageOptions::Schedule::kConstant, "constant"}};
constexpr Spelling<ScstStage::Baseline> kBaselines[] = {{ScstStage::Baseline::kGreedy, "greedy"},
                                                        {ScstStage::Baseline::kMean, "mean"}};
constexpr Spelling<Preprocess::Resize> kResizes[] = {{Preprocess::Resize::kStretch, "stretch"},
                                                     {Preprocess::Resize::kCentreCrop, "centre-crop"},
                                                     {Preprocess::Resize::kFit, "fit"}};
constexpr Spelling<DecoderConfig::FeatureProjection> kFeatureProjections[] = {
    {DecoderConfig::FeatureProjection::kNone, "none"}, {DecoderConfig::FeatureProjection::kRelu, "relu"}};
constexpr Spelling<DecoderConfig::Score> kScores[] = {{DecoderConfig::Score::kAdditiveTanh, "additive-tanh"},
                                                      {DecoderConfig::Score::kAdditiveRelu, "additive-relu"},
                                                      {DecoderConfig::Score::kDot, "dot"},
                                                      {DecoderConfig::Score::kScaledDot, "scaled-dot"},
                                                      {DecoderConfig::Score::kCosine, "cosine"}};
constexpr Spelling<DecoderConfig::Selector> kSelectors[] = {{DecoderConfig::Selector::kSoft, "soft"},
                                                            {DecoderConfig::Selector::kHard, "hard"},
                                                            {DecoderConfig::Selector::kLocal, "local"},
                                                            {DecoderConfig::Selector::kHardLocal, "hard-local"}};
constexpr Spelling<DecoderConfig::Channels> kChannels[] = {
    {DecoderConfig::Channels::kNone, "none"},
    {DecoderConfig::Channels::kChannelSpatial, "channel-spatial"},
    {DecoderConfig::Channels::kSpatialChannel, "spatial-channel"},
    {DecoderConfig::Channels::kElement, "element"}};
constexpr Spelling<DecoderConfig::History> kHistories[] = {{DecoderConfig::History::kNone, "none"},
                                                           {DecoderConfig::History::kAdditive, "additive"}};
constexpr Spelling<DecoderConfig::Gate> kGates[] = {{DecoderConfig::Gate::kNone, "none"},
                                                    {DecoderConfig::Gate::kScalar, "scalar"},
                                                    {DecoderConfig::Gate::kVector, "vector"}};
constexpr Spelling<DecoderConfig::Init> kInits[] = {{DecoderConfig::Init::kLinear, "linear"},
                                                    {DecoderConfig::Init::kTanh, "tanh"},
                                                    {DecoderConfig::Init::kTwoLayer, "two-layer"}};
constexpr Spelling<DecoderConfig::Output> kOutputs[] = {{DecoderConfig::Output::kPlain, "plain"},
                                                        {DecoderConfig::Output::kDeep, "deep"},
                                                        {DecoderConfig::Output::kDeepTanh, "deep-tanh"}};

constexpr Spelling<LookConfig::Kind> kLookKinds[] = {{LookConfig::Kind::kRam, "ram"},
                                                     {LookConfig::Kind::kDram, "dram"}};
constexpr Spelling<LookConfig::Core> kLookCores[] = {{LookConfig::Core::kRelu, "relu"},
                                                     {LookConfig::Core::kLstm, "lstm"}};
constexpr Spelling<LookStage::Reward> kLookRewards[] = {{LookStage::Reward::kCorrect, "correct"},
                                                        {LookStage::Reward::kProbability, "probability"}};

constexpr int kManySteps = 100'000'000;
constexpr int kManyEpochs = 100'000;
constexpr int kLargestWidth = 65'536;
constexpr double kTiny = 1e-12;  ///< least value of keys that must be above 0

void add_normalisation(FieldList& list, std::string_view mean_key, std::array<double, 3>& mean,
                       std::string_view std_key, std::array<double, 3>& std) {
  list.numbers<3>(mean_key, {&mean[0], &mean[1], &mean[2]}, "three numbers with commas between them",
                  [](const std::array<double, 3>&) { return true; });
  list.numbers<3>(std_key, {&std[0], &std[1], &std[2]}, "three numbers above 0 with commas between them",
                  [](const std::array<double, 3>& v) {
                    return std::min({v[0], v[1], v[2]}) > 0;
                  });
}

void add_top(FieldList& list, Recipe& recipe) {
  list.text("name", recipe.name);
  list.output("output", recipe.output);
  list.input("from", recipe.from);
  list.number<std::uint64_t>("seed", recipe.seed, 0, std::numeric_limits<std::uint64_t>::max());
  list.number("threads", recipe.threads, 0, 1024);
  list.fixed("precision", recipe.precision);
}

void add_data(FieldList& list, DataOptions& data) {
  list.input("captions", data.captions);
  list.input("photos", data.photos);
  list.texts("train-splits", data.train_splits);
  list.text("val-split", data.val_split);
  list.text("val-folder", data.val_folder);
  list.inputs("unlabelled", data.unlabelled);
  list.input("sentences", data.sentences);
  list.number("vocabulary-threshold", data.vocabulary_threshold, 1, 1'000'000);
  list.number("max-words", data.max_words, 1, 1000);
}

void add_encoder(FieldList& list, EncoderOptions& encoder) {
  list.input("graph", encoder.graph);
  list.text("output", encoder.output);
  list.input("start", encoder.start);
  list.number("width", encoder.input.width, 1, 4096);
  list.number("height", encoder.input.height, 1, 4096);
  list.choice<Preprocess::Resize>("resize", encoder.input.resize, kResizes);
  add_normalisation(list, "mean", encoder.input.mean, "std", encoder.input.std);
}

void add_decoder(FieldList& list, DecoderOptions& decoder) {
  list.fixed("kind", decoder.kind);
  list.input("graph", decoder.graph);
  list.choice<DecoderConfig::FeatureProjection>("feature-projection", decoder.formulas.feature_projection,
                                                kFeatureProjections);
  list.choice<DecoderConfig::Score>("score", decoder.formulas.score, kScores);
  list.number("heads", decoder.formulas.heads, 1, 1024);
  list.choice<DecoderConfig::Selector>("selector", decoder.formulas.selector, kSelectors);
  list.number("window", decoder.formulas.window, 0.5, 1024.0);
  list.choice<DecoderConfig::Channels>("channels", decoder.formulas.channels, kChannels);
  list.choice<DecoderConfig::History>("history", decoder.formulas.history, kHistories);
  list.choice<DecoderConfig::Gate>("gate", decoder.formulas.gate, kGates);
  list.choice<DecoderConfig::Init>("init", decoder.formulas.init, kInits);
  list.choice<DecoderConfig::Output>("output", decoder.formulas.output, kOutputs);
  list.number("feature", decoder.feature, 1, kLargestWidth);
  list.number("attention", decoder.attention, 1, kLargestWidth);
  list.number("hidden", decoder.hidden, 1, kLargestWidth);
  list.number("embedding", decoder.embedding, 1, kLargestWidth);
  list.number("deep", decoder.deep, 1, kLargestWidth);
}

void add_stage(FieldList& list, StageOptions& stage) {
  list.number("epochs", stage.epochs, 1, kManyEpochs);
  list.number("batch", stage.batch, 1, 4096);
  list.choice<StageOptions::Optimiser>("optimiser", stage.optimiser, kOptimisers);
  list.number("learning-rate", stage.learning_rate, kTiny, 1e3);
  list.number("weight-decay", stage.weight_decay, 0.0, 1e3);
  list.number("momentum", stage.momentum, 0.0, 0.9999);
  list.number("beta1", stage.beta1, 0.0, 0.9999);
  list.number("beta2", stage.beta2, 0.0, 0.999999);
  list.number("warm-up", stage.warm_up, 0, kManySteps);
  list.choice<StageOptions::Schedule>("schedule", stage.schedule, kSchedules);
  list.number("clip", stage.clip, 0.0, 1e6);
  list.number("average", stage.average, 0.0, 0.999999);
  list.number("validate-every", stage.validate_every, 1, kManyEpochs);
  list.number("checkpoint-every", stage.checkpoint_every, 1, 1'000'000);
  AugmentOptions& augment = stage.augment;
  list.flag("flip", augment.flip);
  list.numbers<2>("crop-scale", {&augment.scale_min, &augment.scale_max},
                  "two shares of the area above 0 and up to 1, the smaller first: 0.5, 1",
                  [](const std::array<double, 2>& v) { return v[0] > 0 && v[0] <= v[1] && v[1] <= 1; });
  list.numbers<2>("crop-ratio", {&augment.ratio_min, &augment.ratio_max},
                  "two ratios from 0.1 to 10, the smaller first: 0.75, 1.333",
                  [](const std::array<double, 2>& v) { return v[0] >= 0.1 && v[0] <= v[1] && v[1] <= 10; });
  list.number("colour", augment.colour, 0.0, 1.0);
}

void add_distill(FieldList& list, DistillStage& stage) {
  add_stage(list, stage);
  list.input("teacher-graph", stage.teacher_graph);
  list.input("teacher-weights", stage.teacher_weights);
  list.text("teacher-output", stage.teacher_output);
  list.flag("teacher-dilate", stage.teacher_dilate);
  add_normalisation(list, "teacher-mean", stage.teacher_mean, "teacher-std", stage.teacher_std);
  list.texts("target", stage.target);
  list.number("logits-weight", stage.logits_weight, 0.0, 1e6);
  list.number("temperature", stage.temperature, 0.01, 100.0);
  list.output("cache", stage.cache);
  list.number("views", stage.views, 1, 1000);
}

/// Keys of the stages that train on reference captions.
void add_teacher_forcing(FieldList& list, DecoderStage& stage) {
  list.number("captions-per-photo", stage.captions_per_photo, 1, 1000);
  list.number("label-smoothing", stage.label_smoothing, 0.0, 0.99);
  list.number("hard-rate", stage.hard_rate, 0.0, 1e6);
  list.number("hard-baseline-decay", stage.hard_baseline_decay, 0.0, 0.999999);
}

void add_decoder_stage(FieldList& list, DecoderStage& stage) {
  constexpr double kMostDropout = 0.99;
  list.number("doubly-stochastic", stage.doubly_stochastic, 0.0, 1e6);
  list.number("dropout-features", stage.dropout_features, 0.0, kMostDropout);
  list.number("dropout-embedding", stage.dropout_embedding, 0.0, kMostDropout);
  list.number("dropout-output", stage.dropout_output, 0.0, kMostDropout);
  list.number("hard-entropy", stage.hard_entropy, 0.0, 1e6);
  list.number("hard-expectation", stage.hard_expectation, 0.0, 1.0);
  list.input("start", stage.start);
}

void add_caption(FieldList& list, CaptionStage& stage) {
  add_stage(list, stage);
  add_teacher_forcing(list, stage);
  add_decoder_stage(list, stage);
  list.output("cache", stage.cache);
  list.number("language-epochs", stage.language_epochs, 0, kManyEpochs);
}

void add_encoder_stage(FieldList& list, FinetuneStage& stage) {
  list.number("encoder-learning-rate", stage.encoder_learning_rate, 0.0, 1e3);
  list.flag("freeze-statistics", stage.freeze_statistics);
}

void add_finetune(FieldList& list, FinetuneStage& stage) {
  add_stage(list, stage);
  add_teacher_forcing(list, stage);
  add_decoder_stage(list, stage);
  add_encoder_stage(list, stage);
}

void add_scst(FieldList& list, ScstStage& stage) {
  add_stage(list, stage);
  add_decoder_stage(list, stage);
  add_encoder_stage(list, stage);
  list.number("samples", stage.samples, 1, 1000);
  list.number("temperature", stage.temperature, 0.01, 100.0);
  list.choice<ScstStage::Baseline>("baseline", stage.baseline, kBaselines);
  list.output("cache", stage.cache);
}

std::span<const Spelling<digits::Kind>> digit_kinds() {
  static const std::vector<Spelling<digits::Kind>> kKinds = [] {
    std::vector<Spelling<digits::Kind>> kinds;
    for (const auto& [name, kind] : digits::kinds()) kinds.push_back({kind, name});
    return kinds;
  }();
  return kKinds;
}

void add_digits(FieldList& list, DigitData& data) {
  constexpr int kManyPictures = 100'000'000;
  list.choice<digits::Kind>("kind", data.pictures.kind, digit_kinds());
  list.number("width", data.pictures.width, 1, 4096);
  list.number("height", data.pictures.height, 1, 4096);
  list.number("clutter", data.pictures.clutter, 0, 1000);
  list.number("least", data.pictures.least, 1, 100);
  list.number("most", data.pictures.most, 1, 100);
  list.number("train", data.train, 1, kManyPictures);
  list.number("validation", data.validation, 1, kManyPictures);
}

void add_look(FieldList& list, LookStage& stage) {
  add_stage(list, stage);
  list.choice<LookConfig::Kind>("kind", stage.formulas.kind, kLookKinds);
  list.choice<LookConfig::Core>("core", stage.formulas.core, kLookCores);
  list.number("patch", stage.formulas.patch, 1, 256);
  list.number("scales", stage.formulas.scales, 1, 8);
  list.number("glimpses", stage.formulas.glimpses, 1, 1000);
  list.number("coarse", stage.formulas.coarse, 1, 4096);
  list.number<std::int64_t>("features", stage.shape.features, 1, kLargestWidth);
  list.number<std::int64_t>("glimpse", stage.shape.glimpse, 1, kLargestWidth);
  list.number<std::int64_t>("hidden", stage.shape.hidden, 1, kLargestWidth);
  list.number("samples", stage.samples, 1, 1000);
  list.numbers<2>("deviation", {&stage.deviation_first, &stage.deviation_last},
                  "two deviations above 0 and up to 2, the first step's and the last one's: 0.3, 0.1",
                  [](const std::array<double, 2>& v) { return std::min(v[0], v[1]) > 0 && std::max(v[0], v[1]) <= 2; });
  list.choice<LookStage::Reward>("reward", stage.reward, kLookRewards);
  list.number("early", stage.early, 0.0, 1e3);
}

/// Calls `visit` with the optional stage that `section` names; false where it names none.
template <typename AnyRecipe, typename Visit>
bool visit_stage(AnyRecipe& recipe, std::string_view section, const Visit& visit) {
  if (section == "distill") return visit(recipe.distill), true;
  if (section == "caption") return visit(recipe.caption), true;
  if (section == "finetune") return visit(recipe.finetune), true;
  if (section == "scst") return visit(recipe.scst), true;
  if (section == "digits") return visit(recipe.digits), true;
  if (section == "look") return visit(recipe.look), true;
  return false;
}

}  // namespace

const std::vector<std::string_view>& section_names() {
  static const std::vector<std::string_view> kNames = {"",        "data",     "encoder", "decoder", "distill",
                                                       "caption", "finetune", "scst",    "digits",  "look"};
  return kNames;
}

bool has_section(const Recipe& recipe, std::string_view section) {
  bool has = true;
  visit_stage(recipe, section, [&](const auto& stage) { has = stage.has_value(); });
  return has;
}

void add_section(Recipe& recipe, std::string_view section) {
  visit_stage(recipe, section, [](auto& stage) { stage.emplace(); });
}

std::string full_key(std::string_view section, std::string_view key) {
  return section.empty() ? std::string(key) : std::string(section) + '.' + std::string(key);
}

std::vector<Field> section_fields(Recipe& recipe, std::string_view section) {
  FieldList list;
  if (section.empty()) add_top(list, recipe);
  if (section == "data") add_data(list, recipe.data);
  if (section == "encoder") add_encoder(list, recipe.encoder);
  if (section == "decoder") add_decoder(list, recipe.decoder);
  if (section == "distill") add_distill(list, recipe.distill.value());
  if (section == "caption") add_caption(list, recipe.caption.value());
  if (section == "finetune") add_finetune(list, recipe.finetune.value());
  if (section == "scst") add_scst(list, recipe.scst.value());
  if (section == "digits") add_digits(list, recipe.digits.value());
  if (section == "look") add_look(list, recipe.look.value());
  return list.take();
}

}  // namespace glimpse::train
