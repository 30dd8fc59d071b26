#include "commands/attention_table.h"

#include <array>

namespace glimpse::apps {
namespace {

constexpr std::string_view kScore = "[decoder] score";
constexpr std::string_view kSelector = "[decoder] selector";
constexpr std::string_view kChannels = "[decoder] channels";
constexpr std::string_view kOption = "option of caption, batch and overlay";
constexpr std::string_view kResize = "[encoder] resize";
constexpr std::string_view kLook = "[look] kind";
constexpr std::string_view kGraph = "op in an encoder's graph";

// v: a cell's features; k = key(v); q = query(h[t-1]); e: scores, α: weights, z: what is read.
constexpr std::array kTable = {
    AttentionEntry{"score", "additive-tanh", kScore, "e = w · tanh(k + q)", "Bahdanau et al. 2015; Xu et al. 2015"},
    AttentionEntry{"score", "additive-relu", kScore, "e = w · max(0, k + q)",
                   "a common PyTorch version of Xu et al. 2015"},
    AttentionEntry{"score", "dot", kScore, "e = k · q", "Luong et al. 2015"},
    AttentionEntry{"score", "scaled-dot", kScore, "e = k · q / √d", "Vaswani et al. 2017, equation 1"},
    AttentionEntry{"score", "cosine", kScore, "e = s · (k · q) / (|k| |q|), s learnt",
                   "Graves et al. 2014, equation 6"},

    AttentionEntry{"selector", "soft", kSelector, "α = softmax(e); z = Σ α[i] v[i]", "Xu et al. 2015, equation 13"},
    AttentionEntry{"selector", "hard", kSelector,
                   "i ~ softmax(e), or its largest; z = v[i]; trained by REINFORCE with a moving baseline",
                   "Xu et al. 2015, equations 8 to 12; Williams 1992"},
    AttentionEntry{"selector", "local", kSelector,
                   "p = (H, W) · σ(place(h)); α = softmax(e within window of p) · exp(−|i − p|² / 2σ²), σ = window / 2",
                   "Luong et al. 2015, equations 9 and 10, in two dimensions"},
    AttentionEntry{"selector", "hard-local", kSelector, "the window of local around the one cell of hard",
                   "after Xu et al. 2015 and Luong et al. 2015"},

    AttentionEntry{"heads", "N", "[decoder] heads", "N scores and sums over a part of k, q and v each, side by side",
                   "Vaswani et al. 2017, section 3.2.2"},
    AttentionEntry{"gate", "scalar", "[decoder] gate", "z = σ(gate(h)) Σ α[i] v[i], one number for all channels",
                   "Xu et al. 2015, section 4.2.1"},
    AttentionEntry{"gate", "vector", "[decoder] gate", "the same with a number a channel",
                   "a common PyTorch version of Xu et al. 2015"},
    AttentionEntry{"history", "additive", "[decoder] history",
                   "r = Σ softmax(w · tanh(key(h[s]) + query(h))) h[s], s < t", "after Ke et al. 2019"},

    AttentionEntry{"channels", "channel-spatial", kChannels,
                   "β = C softmax(w · tanh(key(mean v) + query(h))); then α over β v",
                   "Chen et al. 2017 (SCA-CNN), 3.3"},
    AttentionEntry{"channels", "spatial-channel", kChannels,
                   "z = Σ α[i] v[i]; then β = C softmax(w · tanh(key(z) + query(h))); z β",
                   "Chen et al. 2017 (SCA-CNN), 3.3"},
    AttentionEntry{"channels", "element", kChannels,
                   "z = Σ α[i] v[i] σ(key(v[i]) + query(h)), a weight a cell and channel", "after Chen et al. 2017"},

    AttentionEntry{"encoder", "se", kGraph, "x · σ(W2 max(0, W1 mean(x)))", "Hu et al. 2018"},
    AttentionEntry{"encoder", "cbam", kGraph,
                   "y = x · σ(mlp(mean x) + mlp(max x)); y · σ(norm(conv7×7([max y; mean y])))", "Woo et al. 2018"},
    AttentionEntry{"encoder", "selfattention", kGraph, "norm(x + out(softmax(q kᵀ / √d) v)), q, k, v of every cell",
                   "Vaswani et al. 2017, section 3.1"},

    AttentionEntry{"mask", "--roi, --mask", kOption, "e + ln w, w the share of the cell inside: −∞ outside",
                   "masked attention, Vaswani et al. 2017, section 3.2.3"},
    AttentionEntry{"mask", "fit", kResize, "the same for the room that pictures leave, in training too", "as above"},

    AttentionEntry{
        "pixels", "ram", kLook,
        "patches of growing size at l; g = max(0, W [ρ(patches); l]); h = core(h, g); next l ~ N(tanh(W h), s²)",
        "Mnih et al. 2014"},
    AttentionEntry{"pixels", "dram", kLook,
                   "two LSTMs, the lower reads, the upper chooses l, begun from the whole picture; object after object",
                   "Ba et al. 2015"},
};

}  // namespace

std::span<const AttentionEntry> attention_table() { return kTable; }

}  // namespace glimpse::apps
