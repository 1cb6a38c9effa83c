#include "caffe/solvers/solver_state.hpp"

#include <google/protobuf/text_format.h>

#include <filesystem>

#include "caffe/util/hdf5.hpp"
#include "caffe/util/io.hpp"

namespace caffe {

namespace {

/** The fields that Caffe-SSD's states lack. */
SolverState ProgressOf(const SolverState& state) {
  SolverState progress;
  *progress.mutable_loss_window() = state.loss_window();
  *progress.mutable_layer_state() = state.layer_state();
  if (state.has_random_state()) progress.set_random_state(state.random_state());
  return progress;
}

template <typename Dtype>
void WriteScalar(hid_t group, const string& name, Dtype value) {
  Blob<Dtype> blob(vector<int>(1, 1));
  blob.mutable_cpu_data()[0] = value;
  hdf5_save_nd_dataset(group, name, blob);
}

template <typename Dtype>
void WriteHDF5State(const SolverState& state, const string& file) {
  Hdf5Writer writer(file);
  hdf5_save_int(writer.id(), "iter", state.iter());
  hdf5_save_string(writer.id(), "learned_net", state.learned_net());
  hdf5_save_int(writer.id(), "current_step", state.current_step());
  WriteScalar(writer.id(), "minimum_loss", state.minimum_loss());
  hdf5_save_int(writer.id(), "iter_last_event", state.iter_last_event());
  string progress;
  google::protobuf::TextFormat::PrintToString(ProgressOf(state), &progress);
  hdf5_save_string(writer.id(), "progress", progress);
  {
    const Hdf5Handle group = hdf5_create_group(writer.id(), "history");
    for (int i = 0; i < state.history_size(); ++i) {
      Blob<Dtype> blob;
      blob.FromProto(state.history(i));
      hdf5_save_nd_dataset(group.get(), std::to_string(i), blob);
    }
  }
  writer.Commit();
}

template <typename Dtype>
SolverState ReadHDF5State(const string& file) {
  const Hdf5Handle hdf5 = hdf5_open_file(file);
  const hid_t root = hdf5.get();
  CHECK(hdf5_has(root, "iter") && hdf5_has(root, "history"))
      << (hdf5_has(root, "data") ? "this HDF5 file holds the weights of a net (.caffemodel.h5), "
                                 : "this HDF5 file holds something else, ")
      << "expected a solver state (.solverstate.h5) with \"iter\" and \"history\"";
  SolverState state;
  state.set_iter(hdf5_load_int(root, "iter"));
  if (hdf5_has(root, "learned_net")) state.set_learned_net(hdf5_load_string(root, "learned_net"));
  if (hdf5_has(root, "current_step")) state.set_current_step(hdf5_load_int(root, "current_step"));
  if (hdf5_has(root, "iter_last_event")) {
    state.set_iter_last_event(hdf5_load_int(root, "iter_last_event"));
  }
  if (hdf5_has(root, "minimum_loss")) {
    Blob<float> minimum_loss;
    hdf5_load_nd_dataset(root, "minimum_loss", 0, kMaxBlobAxes, &minimum_loss, true);
    CHECK_EQ(minimum_loss.count(), 1) << "the dataset minimum_loss is one number";
    state.set_minimum_loss(minimum_loss.cpu_data()[0]);
  }
  if (hdf5_has(root, "progress")) {
    SolverState progress;
    CHECK(google::protobuf::TextFormat::ParseFromString(hdf5_load_string(root, "progress"),
                                                        &progress))
        << "the dataset progress is damaged";
    state.MergeFrom(progress);
  }
  const Hdf5Handle group = hdf5_open_group(root, "history");
  const int num_history = hdf5_get_num_links(group.get());
  for (int i = 0; i < num_history; ++i) {
    Blob<Dtype> blob;
    hdf5_load_nd_dataset(group.get(), std::to_string(i).c_str(), 0, kMaxBlobAxes, &blob, true);
    blob.ToProto(state.add_history());
  }
  return state;
}

}  // namespace

template <typename Dtype>
void WriteSolverState(const SolverState& state, const string& file,
                      SolverParameter::SnapshotFormat format) {
  if (format == SolverParameter::HDF5) {
    WriteHDF5State<Dtype>(state, file);
  } else {
    WriteProtoToBinaryFile(state, file);
  }
}

template <typename Dtype>
SolverState ReadSolverState(const string& file) {
  try {
    SolverState state;
    const FileKind kind = DetectFileKind(file);
    CHECK(kind != FileKind::kNet)
        << "this is " << FileKindName(kind) << ", expected a solver state (.solverstate). "
        << "To start from these weights, give them as weights and not as a snapshot";
    if (kind == FileKind::kHdf5) {
      state = ReadHDF5State<Dtype>(file);
    } else {
      ReadProtoFromBinaryFileOrDie(file, &state);
    }
    CHECK(state.has_iter()) << "the solver state holds no iteration: it is truncated or damaged";
    CHECK(state.iter() >= 0) << "the solver state is of iteration " << state.iter();
    CHECK(state.has_learned_net() && !state.learned_net().empty())
        << "the solver state of iteration " << state.iter()
        << " does not name the file of its weights (learned_net), so it cannot be resumed";
    // The generator's state is written last, and always with the other fields that Caffe lacks.
    CHECK(state.has_random_state() ||
          (state.loss_window_size() == 0 && state.layer_state_size() == 0))
        << "the solver state of iteration " << state.iter() << " is truncated: it holds positions "
        << "in the data but no state of the random generator";
    return state;
  } catch (const Error& error) {
    throw error.By(file);
  }
}

template <typename Dtype>
void CheckHistory(const SolverState& state, const vector<shared_ptr<Blob<Dtype>>>& history,
                  const string& solver_type) {
  CHECK(state.history_size() == static_cast<int>(history.size()))
      << "the state holds " << state.history_size() << " history blob(s), the type " << solver_type
      << " has " << history.size()
      << " for this net: the state is of another net or another solver type, or it is truncated";
  for (int i = 0; i < state.history_size(); ++i) {
    const BlobProto& stored = state.history(i);
    Blob<Dtype> shape_of_stored;
    shape_of_stored.Reshape(stored.shape());
    CHECK(history[i]->ShapeEquals(stored))
        << "history blob " << i << " has the shape " << shape_of_stored.shape_string()
        << " in the state, " << history[i]->shape_string()
        << " in this net: the state is of another net";
    const int num_values = stored.data_size() + stored.double_data_size();
    CHECK(num_values == history[i]->count())
        << "history blob " << i << " of the state has " << num_values << " values, expected "
        << history[i]->count() << ": the state is damaged";
  }
}

string FindLearnedNet(const SolverState& state, const string& state_file) {
  namespace fs = std::filesystem;
  const fs::path stored(state.learned_net());
  std::error_code ignored;
  if (fs::is_regular_file(stored, ignored)) return stored.string();
  const fs::path beside = fs::path(state_file).parent_path() / stored.filename();
  CHECK(fs::is_regular_file(beside, ignored))
      << "the weights of the state are missing: they are neither at " << stored.string()
      << " (as stored) nor at " << beside.string();
  return beside.string();
}

#define CAFFE_INSTANTIATE_STATE(Dtype)                                                   \
  template void WriteSolverState<Dtype>(const SolverState&, const string&,               \
                                        SolverParameter::SnapshotFormat);                \
  template SolverState ReadSolverState<Dtype>(const string&);                            \
  template void CheckHistory(const SolverState&, const vector<shared_ptr<Blob<Dtype>>>&, \
                             const string&)
CAFFE_INSTANTIATE_STATE(float);
CAFFE_INSTANTIATE_STATE(double);

}  // namespace caffe
