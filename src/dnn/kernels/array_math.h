/// Loops over Arrays that training needs between oneDNN's primitives, split over threads in a way that does not change
/// the result. All arrays of a call have the same layout unless a comment says otherwise.
#pragma once

#include <cstdint>

#include "dnn/kernels/array.h"
#include "dnn/kernels/kernels.h"
#include "dnn/plan/plan.h"

namespace glimpse::dnn {

void add_to(const Array& sum, const Array& more, int threads);  ///< sum += more

/// dst = f(src); dst may be src.
void activate(const Activation& activation, const Array& src, const Array& dst, int threads);
/// d_src = d_dst · f'(src), where dst = f(src). d_src may be d_dst.
void activate_d_src(const Activation& activation, const Array& src, const Array& dst, const Array& d_dst,
                    const Array& d_src, int threads);

/// How a smaller map meets a larger one, [N,C,H,W].
enum class Spread {
  kSame,     ///< it has the same shape
  kChannel,  ///< [N,C,1,1]: a number a channel
  kCell      ///< [N,1,H,W]: a number a cell
};
Spread spread_of(const Shape& larger, const Shape& smaller);

/// dst = a + b and dst = a · b, b spread over a. `b` of another spread than kSame is plain.
void add_spread(const Array& a, const Array& b, const Array& dst, int threads);
void multiply_spread(const Array& a, const Array& b, const Array& dst, int threads);
/// d_b[...] = Σ over what b was spread over of d_dst, or of d_dst · a where `a` is given.
void gather_spread(const Array& d_dst, const Array* a, const Array& d_b, int threads);

/// dst [N,1,H,W], plain: mean and maximum over channels, and the channel of the maximum (the first of equals).
void channel_mean(const Array& src, const Array& dst, int threads);
void channel_max(const Array& src, const Array& dst, std::int32_t* channel, int threads);
/// d_src += for the channel that was the maximum.
void channel_max_d_src(const Array& d_dst, const std::int32_t* channel, const Array& d_src, int threads);

}  // namespace glimpse::dnn
