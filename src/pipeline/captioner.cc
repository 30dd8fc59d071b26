#include "pipeline/captioner.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <optional>

#include "core/error.h"
#include "decoder/decoder.h"
#include "dnn/runtime/threads.h"
#include "net/compile.h"
#include "pipeline/cell_block.h"

namespace glimpse {
namespace {

int resolve_threads(int threads) {
  if (threads < 0) {
    throw Error(ErrorCode::kUsage,
                "threads is " + std::to_string(threads) + "; give 1 or more, or 0 for all there are");
  }
  return threads == 0 ? dnn::available_threads() : threads;
}

dnn::Plan compile_encoder(const Model& model, const CaptionerOptions& options, int threads) {
  const ModelConfig& config = model.config();
  if (options.batch < 1)
    throw Error(ErrorCode::kUsage, "batch is " + std::to_string(options.batch) + "; give 1 or more");
  net::CompileOptions compile;
  compile.batch = options.batch;
  compile.height = config.input.height;
  compile.width = config.input.width;
  compile.outputs = {config.output_node};
  compile.channels_last = true;
  compile.plan = {options.kernels(), options.tuning_cache, threads};
  dnn::Plan plan = net::compile(net::parse_graph(config.graph, config.graph_name), model.weights(), compile);
  const Shape& map = plan.output_shape(0);  // [batch, rows, cols, D]
  if (map[1] != config.rows || map[2] != config.cols) {
    throw Error(ErrorCode::kModel, quote(config.graph_name) + ": node " + quote(config.output_node) +
                                       " gives a map of " + std::to_string(map[1]) + "×" + std::to_string(map[2]) +
                                       " cells, the model says " + std::to_string(config.rows) + "×" +
                                       std::to_string(config.cols));
  }
  return plan;
}

Decoder make_decoder(const Model& model, const dnn::Plan& encoder) {
  const ModelConfig& config = model.config();
  Decoder decoder(config.decoder, model.weights(), config.grid(), static_cast<int>(config.vocabulary.size()));
  const std::int64_t channels = encoder.output_shape(0)[3];
  if (channels != decoder.features()) {
    throw Error(ErrorCode::kModel, quote(model.weights().path().native()) + ": the decoder reads " +
                                       std::to_string(decoder.features()) + " features a cell, the encoder's node " +
                                       quote(config.output_node) + " has " + std::to_string(channels));
  }
  return decoder;
}

std::vector<int> encode_all(const Vocabulary& vocabulary, const std::vector<std::string>& texts) {
  std::vector<int> ids;
  for (const std::string& text : texts) {
    const std::vector<int> words = vocabulary.encode(text);
    ids.insert(ids.end(), words.begin(), words.end());
  }
  return ids;
}

search::SearchOptions resolve(const Vocabulary& vocabulary, const CaptionOptions& options) {
  search::SearchOptions result = options.search;
  result.required = encode_all(vocabulary, options.required);
  result.forbidden = encode_all(vocabulary, options.forbidden);
  result.prefix = vocabulary.encode(options.prefix);
  // The vocabulary is the captioner's, which the session keeps alive.
  result.spell = [&vocabulary](int word) { return quote(vocabulary.word(word)); };
  search::validate(result, vocabulary.size());
  return result;
}

}  // namespace

dnn::Tuning CaptionerOptions::kernels() const {
  return tuning.value_or(tuning_cache.empty() ? dnn::Tuning::kWinograd : dnn::Tuning::kMeasure);
}

struct Captioner::Impl {
  Impl(const Model& model, const CaptionerOptions& options, int thread_count)
      : threads(thread_count),
        batch(options.batch),
        config(model.config()),
        vocabulary(config.vocabulary),
        encoder(compile_encoder(model, options, threads)),
        decoder(make_decoder(model, encoder)) {}

  int threads;
  int batch;
  ModelConfig config;
  Vocabulary vocabulary;
  dnn::Plan encoder;
  Decoder decoder;
};

Captioner::Captioner(const Model& model, const CaptionerOptions& options) {
  const int threads = resolve_threads(options.threads);
  const dnn::ThreadCountScope scope(threads);
  impl_ = std::make_shared<const Impl>(model, options, threads);
}

const ModelConfig& Captioner::config() const { return impl_->config; }
const Vocabulary& Captioner::vocabulary() const { return impl_->vocabulary; }
const dnn::Plan& Captioner::encoder() const { return impl_->encoder; }
int Captioner::batch() const { return impl_->batch; }
int Captioner::threads() const { return impl_->threads; }

PreparedPicture Captioner::prepare(const Image& image) const {
  const Preprocess& input = impl_->config.input;
  PreparedPicture prepared;
  prepared.input.resize(std::size_t{3} * static_cast<std::size_t>(input.height) *
                        static_cast<std::size_t>(input.width));
  prepared.transform = to_input(image, input, prepared.input);
  return prepared;
}

struct CaptionSession::Impl {
  Impl(std::shared_ptr<const Captioner::Impl> shared, const CaptionOptions& caption_options)
      : captioner(std::move(shared)),
        options(resolve(captioner->vocabulary, caption_options)),
        region(caption_options.region),
        encoder(captioner->encoder),
        decoder(captioner->decoder, captioner->batch, search::rows_needed(options)) {
    if (caption_options.hard_seed && !captioner->config.decoder.is_hard()) {
      throw Error(ErrorCode::kUsage,
                  "the model " + quote(captioner->config.name) +
                      " looks at all cells at once: there are none to draw with a seed of their own");
    }
    decoder.draw_cells(caption_options.hard_seed);
  }

  /// The encoder's input for the picture at `place`.
  std::span<float> input(std::size_t place);
  /// What stands in the input, captioned; an empty transform: nothing does at that place.
  std::vector<std::vector<Caption>> run(std::span<const std::optional<ViewTransform>> transforms);
  /// How much the pictures' cells count, [transforms, cells]; nothing where all do.
  std::vector<float> masks(std::span<const std::optional<ViewTransform>> transforms) const;
  Caption to_caption(const search::Hypothesis& hypothesis, const ViewTransform& transform) const;

  std::shared_ptr<const Captioner::Impl> captioner;
  search::SearchOptions options;
  Region region;
  dnn::Session encoder;
  DecoderSession decoder;
  CaptionTimes* times = nullptr;
};

std::span<float> CaptionSession::Impl::input(std::size_t place) {
  const std::span<float> all = encoder.input();
  const std::size_t size = all.size() / static_cast<std::size_t>(captioner->batch);
  return all.subspan(place * size, size);
}

std::vector<float> CaptionSession::Impl::masks(std::span<const std::optional<ViewTransform>> transforms) const {
  std::vector<float> weights;
  const ModelConfig& config = captioner->config;
  const bool padded = config.input.resize == Preprocess::Resize::kFit;
  if (!region && !padded) return weights;
  for (const std::optional<ViewTransform>& transform : transforms) {
    const std::vector<float> own = transform
                                       ? cell_weights(region, *transform, config.rows, config.cols)
                                       : std::vector<float>(static_cast<std::size_t>(config.grid().cells()), 1.0F);
    weights.insert(weights.end(), own.begin(), own.end());
  }
  return weights;
}

std::vector<std::vector<Caption>> CaptionSession::Impl::run(std::span<const std::optional<ViewTransform>> transforms) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point begin = Clock::now();
  encoder.run();
  const Clock::time_point encoded = Clock::now();
  const std::span<const float> features = encoder.output();
  const std::size_t feature_size = features.size() / static_cast<std::size_t>(captioner->batch);
  decoder.prepare(features.first(transforms.size() * feature_size), static_cast<int>(transforms.size()),
                  masks(transforms));

  std::vector<std::vector<Caption>> captions;
  for (const std::vector<search::Hypothesis>& best : search::search(decoder, options)) {
    const std::optional<ViewTransform>& transform = transforms[captions.size()];
    std::vector<Caption>& list = captions.emplace_back();
    if (!transform) continue;
    for (const search::Hypothesis& hypothesis : best) list.push_back(to_caption(hypothesis, *transform));
  }
  if (times != nullptr) {
    times->encode += std::chrono::duration<double>(encoded - begin).count();
    times->search += std::chrono::duration<double>(Clock::now() - encoded).count();
  }
  return captions;
}

Caption CaptionSession::Impl::to_caption(const search::Hypothesis& hypothesis, const ViewTransform& transform) const {
  const int rows = captioner->config.rows;
  const int cols = captioner->config.cols;
  Caption caption;
  caption.text = captioner->vocabulary.decode(hypothesis.words);
  caption.log_prob = hypothesis.log_prob;
  caption.score = hypothesis.score;
  for (std::size_t i = 0; i < hypothesis.words.size(); ++i) {
    Glimpse glimpse;
    glimpse.word = captioner->vocabulary.word(hypothesis.words[i]);
    glimpse.log_prob = hypothesis.log_probs[i];
    if (!hypothesis.gates.empty()) glimpse.beta = hypothesis.gates[i];
    glimpse.alpha = hypothesis.alphas[i];
    if (!hypothesis.channels.empty()) glimpse.channels = hypothesis.channels[i];
    const CellBlock block = attended_block(glimpse.alpha, rows, cols);
    glimpse.box = transform.cells_to_source(block.row, block.col, block.rows, block.cols, rows, cols);
    caption.glimpses.push_back(std::move(glimpse));
  }
  return caption;
}

CaptionSession::CaptionSession(const Captioner& captioner, const CaptionOptions& options) {
  const dnn::ThreadCountScope scope(captioner.impl_->threads);
  impl_ = std::make_unique<Impl>(captioner.impl_, options);
}

CaptionSession::~CaptionSession() = default;
CaptionSession::CaptionSession(CaptionSession&&) noexcept = default;
CaptionSession& CaptionSession::operator=(CaptionSession&&) noexcept = default;

std::vector<Caption> CaptionSession::caption(const Image& image) { return std::move(caption({&image, 1}).front()); }

std::vector<std::vector<Caption>> CaptionSession::caption(std::span<const Image> images) {
  const dnn::ThreadCountScope scope(impl_->captioner->threads);
  const auto batch = static_cast<std::size_t>(impl_->captioner->batch);
  std::vector<std::vector<Caption>> captions;
  captions.reserve(images.size());
  while (captions.size() < images.size()) {
    const std::size_t count = std::min(batch, images.size() - captions.size());
    std::vector<std::optional<ViewTransform>> transforms;
    for (const Image& image : images.subspan(captions.size(), count)) {
      transforms.emplace_back(to_input(image, impl_->captioner->config.input, impl_->input(transforms.size())));
    }
    std::ranges::move(impl_->run(transforms), std::back_inserter(captions));
  }
  return captions;
}

std::vector<std::vector<Caption>> CaptionSession::caption(std::span<const PreparedPicture* const> places) {
  if (places.size() > static_cast<std::size_t>(impl_->captioner->batch)) {
    throw Error(ErrorCode::kUsage, std::to_string(places.size()) +
                                       " prepared pictures for a captioner with a batch of " +
                                       std::to_string(impl_->captioner->batch) +
                                       "; give that many at once, or compile it with a larger CaptionerOptions::batch");
  }
  if (places.empty()) return {};
  const dnn::ThreadCountScope scope(impl_->captioner->threads);
  std::vector<std::optional<ViewTransform>> transforms;
  for (const PreparedPicture* picture : places) {
    const std::span<float> input = impl_->input(transforms.size());
    if (picture == nullptr) {
      std::fill(input.begin(), input.end(), 0.0F);  // numbers, so that the search finds an end there too
      transforms.emplace_back();
    } else {
      if (picture->input.size() != input.size()) {
        throw Error(ErrorCode::kUsage, "a prepared picture of " + std::to_string(picture->input.size()) +
                                           " values where the model takes " + std::to_string(input.size()) +
                                           "; prepare it with this captioner");
      }
      std::copy(picture->input.begin(), picture->input.end(), input.begin());
      transforms.emplace_back(picture->transform);
    }
  }
  return impl_->run(transforms);
}

void CaptionSession::measure(CaptionTimes* times) { impl_->times = times; }

}  // namespace glimpse
