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
const Operation& max_pool();  // pooling.cc
const Operation& average_pool();
const Operation& global_average_pool();
const Operation& adaptive_average_pool();
const Operation& linear();          // linear.cc
const Operation& squeeze_excite();  // excitation.cc
const Operation& cbam();
const Operation& self_attention();  // self_attention.cc

/// [N,C,H,W] → [N,C,1,1], plain: what pooling and excitation share on the tape.
train::Variable global_average(train::Tape& tape, const train::Variable& src);

}  // namespace glimpse::ops
