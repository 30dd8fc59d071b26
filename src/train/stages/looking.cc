#include "train/stages/looking.h"

#include <algorithm>

#include "glimpses/looker.h"
#include "train/stages/epochs.h"

namespace glimpse::train {
namespace {

/// What a picture's lightness becomes, 0..1.
constexpr float kShare = 1.0F / 255;
/// Picture numbers from here on are held out.
constexpr std::uint64_t kHeldOut = std::uint64_t{1} << 62U;
/// Weight of REINFORCE's gradient where it meets that of the cross entropy: it is by far the noisier one.
constexpr double kReinforce = 0.05;

std::vector<std::string> digit_names() {
  std::vector<std::string> names;
  for (char digit = '0'; digit <= '9'; ++digit) names.emplace_back(1, digit);
  return names;
}

}  // namespace

LookConfig look_config_of(const Recipe& recipe) {
  LookConfig config = recipe.look.value().formulas;
  const digits::DigitOptions& pictures = recipe.digits.value().pictures;
  config.name = recipe.name;
  config.width = pictures.width;
  config.height = pictures.height;
  config.objects = pictures.kind == digits::Kind::kRow ? pictures.most : 1;
  config.classes = digit_names();
  return config;
}

Looking::Looking(const LookConfig& config, const Recipe& recipe, ParameterSet& parameters, dnn::Kernels& kernels)
    : config_(config),
      options_(recipe.look.value()),
      data_(recipe.digits.value()),
      // Not the series that `glimpse digits` draws from the same seed: that is for judging.
      seed_(seed_of(recipe.seed, 0, Purpose::kOrder)),
      parameters_(parameters),
      kernels_(kernels),
      network_(config, parameters) {}

std::int64_t Looking::steps_per_epoch() const { return batches(static_cast<std::size_t>(data_.train), options_.batch); }

Looking::Batch Looking::draw(std::uint64_t first, std::int64_t count) const {
  Batch batch;
  const auto size = static_cast<std::size_t>(config_.width) * static_cast<std::size_t>(config_.height);
  batch.pixels.reserve(static_cast<std::size_t>(count) * size);
  for (std::int64_t i = 0; i < count; ++i) {
    const digits::DigitPicture picture = digits::draw(seed_, first + static_cast<std::uint64_t>(i), data_.pictures);
    for (const std::uint8_t pixel : picture.pixels) batch.pixels.push_back(kShare * static_cast<float>(pixel));
    std::vector<int>& label = batch.labels.emplace_back();
    for (const digits::Digit& digit : picture.digits) label.push_back(digit.value);
  }
  for (std::int64_t i = 0; i < count; ++i) {
    batch.pictures.push_back({batch.pixels.data() + static_cast<std::size_t>(i) * size, config_.width, config_.height});
  }
  return batch;
}

double Looking::deviation() const {
  const double done = static_cast<double>(step_) / static_cast<double>(steps_per_epoch() * options_.epochs);
  return options_.deviation_first + done * (options_.deviation_last - options_.deviation_first);
}

Stage::Step Looking::step() {
  const Batch batch = draw(static_cast<std::uint64_t>(step_ * options_.batch), options_.batch);
  LookLessonOptions options;
  options.samples = options_.samples;
  options.deviation = deviation();
  options.reward = options_.reward;
  options.early = options_.early;
  options.reinforce = kReinforce;
  options.seed = seed_of(seed_, step_, Purpose::kSamples);
  Tape tape(kernels_);
  const LookNetwork::Lesson lesson = network_.lesson(tape, batch.pictures, batch.labels, options);
  Step result;
  result.loss = lesson.cross_entropy;
  result.parts = {{"reward", lesson.reward},
                  {"right", lesson.right},
                  {"baseline", lesson.baseline_error},
                  {"deviation", options.deviation}};
  result.pictures = options_.batch;
  tape.backward(lesson.loss);
  ++step_;
  return result;
}

Measures Looking::validate() {
  const Looker looker(LookModel(config_, snapshot(parameters_)));
  LookSession session(looker);
  int wrong = 0;
  for (int i = 0; i < data_.validation; ++i) {
    const Batch one = draw(kHeldOut + static_cast<std::uint64_t>(i), 1);
    const Look look = session.look(one.pixels);
    std::vector<int> wanted = one.labels.front();
    if (config_.kind == LookConfig::Kind::kDram) wanted.push_back(config_.end_class());
    const bool right = std::ranges::equal(
        wanted, look.objects, {}, [](int id) { return id; }, [](const LookObject& o) { return o.id; });
    wrong += right ? 0 : 1;
  }
  return {{"error", static_cast<double>(wrong) / data_.validation}};
}

}  // namespace glimpse::train
