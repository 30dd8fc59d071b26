/// The operations, by the file that holds them; registry.cc lists them. Internal to this level.
#pragma once

#include "autograd/tape.h"
#include "ops/operation.h"

namespace glimpse::ops {

const Operation& convolution();  // convolution.cc
const Operation& batch_norm();   // norm.cc
const Operation& activate();     // elementwise.cc
const Operation& add();
const Operation& multiply();
const Operation& concat();
const Operation& mix();
const Operation& max_pool();  // pooling.cc
const Operation& average_pool();
const Operation& global_average_pool();
const Operation& adaptive_average_pool();
const Operation& linear();          // linear.cc
const Operation& squeeze_excite();  // excitation.cc
const Operation& cbam();
const Operation& self_attention();  // self_attention.cc
const Operation& embed();           // gather.cc
const Operation& memory();
const Operation& state();
const Operation& part();
const Operation& param();
const Operation& dropout();
const Operation& lstm();    // lstm.cc
const Operation& mean();    // reduce.cc
const Operation& attend();  // attend.cc
const Operation& read();
const Operation& unit();
const Operation& scale();
const Operation& channel_weights();  // channels.cc
const Operation& recall();

/// [N,C,H,W] → [N,C,1,1], plain: what pooling and excitation share on the tape.
train::Variable global_average(train::Tape& tape, const train::Variable& src);
/// A constant [1, 1].
train::Variable number(train::Tape& tape, float value);

// What is packed in files of their own.
std::unique_ptr<PackedStep> pack_recall(const PackContext& node);  // recall.cc
std::unique_ptr<PackedStep> pack_unit(const PackContext& node);    // elementwise_step.cc
std::unique_ptr<PackedStep> pack_scale(const PackContext& node);
std::unique_ptr<PackedStep> pack_activate(const PackContext& node);
std::unique_ptr<PackedStep> pack_binary(const PackContext& node, bool multiplies);
std::unique_ptr<PackedStep> pack_concat(const PackContext& node);
std::unique_ptr<PackedStep> pack_mix(const PackContext& node);

}  // namespace glimpse::ops
