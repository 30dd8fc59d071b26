#include "attention/channels.h"

#include "dnn/math/vector_math.h"

namespace glimpse::attention {

ChannelAttention::ChannelAttention(const Tensor& key, const Tensor& score)
    : weights_(std::make_shared<const Weights>(Weights{key.clone(), score.clone()})) {}

void ChannelAttention::weigh(std::span<const float> values, const float* query, float* weights) const {
  dnn::ChannelScores scores;
  scores.values = values.data();
  scores.slope = weights_->key.data();
  scores.shift = query;
  scores.weight = weights_->score.data();
  scores.scores = weights;
  scores.channels = std::ssize(values);
  scores.size = query_size();
  dnn::channel_scores(scores);
  const std::span<float> all(weights, values.size());
  dnn::softmax_in_place(all);
  dnn::scale(all, static_cast<float>(values.size()), weights);
}

}  // namespace glimpse::attention
