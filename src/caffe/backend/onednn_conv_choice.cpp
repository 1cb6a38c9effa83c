#include "caffe/backend/onednn_conv_choice.hpp"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <map>
#include <mutex>
#include <random>
#include <utility>

#include "caffe/backend/onednn_conv_cache.hpp"
#include "caffe/backend/onednn_memory.hpp"
#include "caffe/util/benchmark.hpp"

namespace caffe {
namespace onednn {

namespace {

constexpr int kImageChannels = 4;
/** Multiplications of one measured run for each thread: about 10 ms of floats. */
constexpr double kMeasuredWork = 1e9;
constexpr int kRounds = 3;
constexpr double kHopeless = 1.5, kTie = 1.05;

/** Random normal numbers: no zeros, denormals or infinities, which take other times. */
dnnl::memory RandomMemory(const Layout& layout, unsigned seed) {
  const Dims dims = DimsOf(layout);
  size_t count = 1;
  for (const auto dim : dims) count *= static_cast<size_t>(dim);
  std::minstd_rand engine(seed);
  std::normal_distribution<float> normal;
  // Drawing numbers takes longer than most convolutions: a few, again and again.
  vector<float> some(4099);
  for (float& value : some) value = normal(engine);
  vector<float> values(count);
  for (size_t i = 0; i < count; i += some.size()) {
    std::copy_n(some.begin(), std::min(some.size(), count - i), values.begin() + i);
  }
  dnnl::memory memory(layout, Engine());
  Reorder().Run(PlainMemory(dims, values.data()), memory);
  return memory;
}

/** The same of weights that are packed as tiles. */
dnnl::memory RandomTiles(const Layout& plain, const TileWeights& tiles) {
  const dnnl::memory values = RandomMemory(plain, 3);
  dnnl::memory memory(tiles.layout(), Engine());
  tiles.Pack(static_cast<const float*>(values.get_data_handle()), memory);
  return memory;
}

/** Where the neighbours of a convolution keep its bottom or top. */
Layout NeighboursLayout(const Layout& own, ElementType type) {
  const Dims dims = DimsOf(own);
  return dims[1] <= kImageChannels ? PlainLayout(dims) : UsualLayout(dims, type);
}

/** One of a primitive's activations, and the neighbours' memory that it is converted from or to. */
class Activation {
 public:
  Activation(int argument, const Layout& own, ElementType type)
      : argument_(argument), usual_(RandomMemory(NeighboursLayout(own, type), 1)), own_(usual_) {
    converted_ = own != usual_.get_desc();
    if (converted_) own_ = RandomMemory(own, 2);
  }
  int argument() const { return argument_; }
  const dnnl::memory& own() const { return own_; }
  void Read() {
    if (converted_) reorder_.Run(usual_, own_);
  }
  void Write() {
    if (converted_) reorder_.Run(own_, usual_);
  }

 private:
  int argument_;
  dnnl::memory usual_, own_;
  bool converted_;
  Reorder reorder_;
};

/** One method, ready to be run again and again. */
class Trial {
 public:
  Trial(const ConvShape& shape, ConvPass pass, ConvPrimitive primitive)
      : primitive_(std::move(primitive)) {
    const ConvPrimitive& p = primitive_;
    const bool forward = pass == kConvForward, data = pass == kConvBackwardData;
    if (!data) inputs_.emplace_back(DNNL_ARG_SRC, p.bottom, shape.type);
    if (!forward) inputs_.emplace_back(DNNL_ARG_DIFF_DST, p.top, shape.type);
    if (forward) outputs_.emplace_back(DNNL_ARG_DST, p.top, shape.type);
    if (data) outputs_.emplace_back(DNNL_ARG_DIFF_SRC, p.bottom, shape.type);
    for (const auto& activations : {inputs_, outputs_}) {
      for (const Activation& a : activations) arguments_[a.argument()] = a.own();
    }
    const bool weights_are_read = forward || data;
    arguments_[weights_are_read ? DNNL_ARG_WEIGHTS : DNNL_ARG_DIFF_WEIGHTS] =
        p.tile_weights ? RandomTiles(PlainWeights(shape), *p.tile_weights)
                       : RandomMemory(p.weights, 3);
    if (shape.bias && !data) {
      arguments_[forward ? DNNL_ARG_BIAS : DNNL_ARG_DIFF_BIAS] =
          RandomMemory(PlainLayout({shape.num_output}), 4);
    }
  }
  const string& method() const { return primitive_.method; }
  double milliseconds() const { return milliseconds_; }

  void Run() {
    Timer timer;
    timer.Start();
    for (Activation& input : inputs_) input.Read();
    primitive_.run(arguments_);
    for (Activation& output : outputs_) output.Write();
    milliseconds_ = std::min<double>(milliseconds_, timer.MilliSeconds());
  }

 private:
  ConvPrimitive primitive_;
  vector<Activation> inputs_, outputs_;
  Arguments arguments_;
  double milliseconds_ = std::numeric_limits<double>::infinity();
};

const Trial& Best(const vector<Trial>& trials) {
  return *std::min_element(trials.begin(), trials.end(), [](const Trial& a, const Trial& b) {
    return a.milliseconds() < b.milliseconds();
  });
}

vector<Trial> MakeTrials(const ConvShape& shape, ConvPass pass) {
  vector<Trial> trials;
  for (const ConvMethod& method : ConvMethodsFor(shape, pass)) {
    const auto primitive = MakeConvPrimitive(shape, pass, method);
    // oneDNN's plain loops, for what it has nothing else for, would take minutes.
    const bool slow = primitive && primitive->implementation.compare(0, 3, "ref") == 0;
    if (primitive && !slow) trials.emplace_back(shape, pass, *primitive);
  }
  return trials;
}

/** Tells whoever waits what is going on. */
class Progress {
 public:
  void Measured(const ConvCache& cache, double seconds) {
    if (passes_ == 0) {
      LOG(INFO) << "Measuring the fastest convolutions"
                << (cache.path().empty() ? string() : ", to be remembered in " + cache.path());
    }
    ++passes_;
    seconds_ += seconds;
    if (seconds_ < told_ + 2) return;
    told_ = seconds_;
    LOG(INFO) << "Measured " << passes_ << " passes of convolutions in " << seconds_ << " s";
  }

 private:
  int passes_ = 0;
  double seconds_ = 0, told_ = 0;
};

/** The measured method of a pass: from the cache, or measured now. */
string Measured(const ConvShape& shape, ConvPass pass) {
  static std::mutex mutex;
  static auto* caches = new std::map<string, ConvCache>;
  static Progress progress;
  const std::lock_guard<std::mutex> lock(mutex);
  const string path = ConvCachePath();
  ConvCache& cache = caches->emplace(path, path).first->second;
  const ConvShape measured = MeasuredShape(shape);
  const string key = ConvKey(measured, pass);
  string known = cache.Find(key);
  for (const ConvMethod& method : ConvMethods()) {
    if (method.name == known && Fits(shape, method)) return known;
  }
  Timer timer;
  timer.Start();
  string best = MeasureConvMethod(measured, pass);
  cache.Add(key, best);
  progress.Measured(cache, timer.Seconds());
  return best;
}

}  // namespace

ConvShape MeasuredShape(const ConvShape& shape) {
  const double image = 1.0 * shape.num_output * shape.out_height * shape.out_width *
                       shape.rows.kernel * shape.columns.kernel * shape.channels / shape.group;
  const double most = std::max(1.0, kMeasuredWork * shape.threads / image);
  ConvShape measured = shape;
  if (most < shape.num) measured.num = static_cast<int>(most);
  return measured;
}

string ConvKey(const ConvShape& s, ConvPass pass) {
  static const char* const passes[] = {"forward", "backward data", "backward weights"};
  std::ostringstream key;
  key << s.num << "x" << s.channels << "x" << s.height << "x" << s.width << " to " << s.num_output
      << "x" << s.out_height << "x" << s.out_width << " kernel " << s.rows.kernel << "x"
      << s.columns.kernel << " stride " << s.rows.stride << "x" << s.columns.stride << " pad "
      << s.rows.pad << "x" << s.columns.pad << " dilation " << s.rows.dilation << "x"
      << s.columns.dilation << " group " << s.group << (s.bias ? " bias" : "")
      << (s.type == ElementType::bf16 ? " bf16" : " fp32") << " threads " << s.threads << " "
      << passes[pass] << (pass == kConvForward && !s.training ? " for inference" : "");
  return key.str();
}

string MeasureConvMethod(const ConvShape& shape, ConvPass pass) {
  vector<Trial> trials = MakeTrials(shape, pass);
  if (trials.size() > 1) {
    for (Trial& trial : trials) trial.Run();
    const double most = kHopeless * Best(trials).milliseconds();
    trials.erase(std::remove_if(trials.begin(), trials.end(),
                                [most](const Trial& t) { return t.milliseconds() > most; }),
                 trials.end());
  }
  for (int round = 1; round < kRounds && trials.size() > 1; ++round) {
    for (Trial& trial : trials) trial.Run();
  }
  string usual = DefaultConvMethod(shape, pass).name;
  if (trials.empty()) return usual;
  const Trial& best = Best(trials);
  for (const Trial& trial : trials) {
    if (trial.method() == usual && trial.milliseconds() <= kTie * best.milliseconds()) return usual;
  }
  return best.method();
}

ConvMethod ChooseConvMethod(const ConvShape& shape, ConvPass pass) {
  const char* variable = std::getenv("CAFFE_CONV_ALGORITHM");
  const string word = variable == nullptr ? "" : variable;
  if (word.empty() || word == "measure") return ConvMethodByName(Measured(shape, pass));
  if (word == "default") return DefaultConvMethod(shape, pass);
  string names;
  for (const ConvMethod& method : ConvMethods()) {
    if (method.name == word) {
      const bool given = Fits(shape, method) && word != "direct";
      return ConvMethodByName(given ? word : DirectMethod(shape));
    }
    names += ", " + method.name;
  }
  LOG(FATAL) << "CAFFE_CONV_ALGORITHM is \"" << word << "\", expected measure, default" << names;
  return {};
}

}  // namespace onednn
}  // namespace caffe
