#include <dirent.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "caffe/test/test_caffe_main.hpp"
#include "caffe/util/atomic_file.hpp"
#include "caffe/util/hdf5.hpp"
#include "caffe/util/io.hpp"

namespace caffe {
namespace {

string Content(const string& path) {
  std::ifstream file(path, std::ios::binary);
  return string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
}

int FilesIn(const string& folder) {
  int count = 0;
  DIR* entries = opendir(folder.c_str());
  while (const dirent* entry = readdir(entries)) count += entry->d_name[0] != '.';
  closedir(entries);
  return count;
}

/** Lets no file grow beyond a size: the nearest to a full disk that needs no privileges. */
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    handler_ = std::signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    rlimit limit = before_;
    limit.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_{};
  void (*handler_)(int);
};

class AtomicFileTest : public ::testing::Test {
 protected:
  AtomicFileTest() {
    MakeTempDir(&folder_);
    path_ = folder_ + "/target";
    WriteFileAtomically(path_, "old");
  }
  /** After a failure: the old file is there, and nothing beside it. */
  void ExpectUntouched() const {
    EXPECT_EQ(Content(path_), "old");
    EXPECT_EQ(FilesIn(folder_), 1);
  }
  string folder_, path_;
};

TEST_F(AtomicFileTest, NewContentAppearsOnCommit) {
  AtomicFile file(path_);
  file.Write("new ");
  file.Write("content");
  EXPECT_EQ(Content(path_), "old");
  file.Commit();
  EXPECT_EQ(Content(path_), "new content");
  EXPECT_EQ(FilesIn(folder_), 1);
  EXPECT_CAFFE_ERROR(file.Write("more"), "written to after it was closed");
  EXPECT_CAFFE_ERROR(file.Commit(), "committed after it was closed");
}

TEST_F(AtomicFileTest, WithoutCommitNothingHappens) {
  {
    AtomicFile file(path_);
    file.Write("new");
    EXPECT_EQ(FilesIn(folder_), 2);
  }
  ExpectUntouched();
}

TEST_F(AtomicFileTest, TwoWritersDoNotMix) {
  AtomicFile first(path_), second(path_);
  first.Write("first");
  second.Write("second");
  second.Commit();
  first.Commit();
  EXPECT_EQ(Content(path_), "first");
  EXPECT_EQ(FilesIn(folder_), 1);
}

TEST_F(AtomicFileTest, KilledWriterLeavesTheOldFile) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    AtomicFile file(path_);
    file.Write("half of the new con");
    raise(SIGKILL);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(Content(path_), "old");
  // What it left behind is in nobody's way.
  WriteFileAtomically(path_, "new");
  EXPECT_EQ(Content(path_), "new");
}

TEST_F(AtomicFileTest, FullDisk) {
  const string large(1 << 20, 'x');
  {
    const FileSizeLimit limit(1 << 16);
    EXPECT_CAFFE_ERROR(WriteFileAtomically(path_, large), "target: cannot write: File too large");
  }
  ExpectUntouched();
  if (access("/dev/full", W_OK) == 0) {
    EXPECT_CAFFE_ERROR(WriteFileAtomically("/dev/full", large),
                       "/dev/full: cannot write: No space left on device");
  }
}

TEST_F(AtomicFileTest, EveryWriterSurvivesAFullDisk) {
  BlobProto blob;
  for (int i = 0; i < (1 << 16); ++i) blob.add_data(0.1f);
  Blob<float> values(vector<int>{1 << 16});
  {
    const FileSizeLimit limit(1 << 12);
    EXPECT_CAFFE_ERROR(WriteProtoToBinaryFile(blob, path_), "target: cannot write: File too large");
    EXPECT_CAFFE_ERROR(WriteProtoToTextFile(blob, path_), "target: cannot write: File too large");
    Hdf5Writer writer(path_);
    hdf5_save_nd_dataset(writer.id(), "0", values);
    EXPECT_CAFFE_ERROR(writer.Commit(), "target: cannot write: File too large");
  }
  ExpectUntouched();
}

TEST_F(AtomicFileTest, PlacesThatCannotBeWritten) {
  EXPECT_CAFFE_ERROR(AtomicFile(""), "needs a name");
  EXPECT_CAFFE_ERROR(AtomicFile{folder_}, folder_ + ": cannot write: Is a directory");
  const string inside_file = path_ + "/x";
  EXPECT_CAFFE_ERROR(AtomicFile{inside_file}, "Not a directory");
  const string no_folder = folder_ + "/missing/x";
  EXPECT_CAFFE_ERROR(AtomicFile{no_folder}, no_folder + ": cannot create a file in the folder " +
                                                folder_ + "/missing: No such file or directory");
  ExpectUntouched();
}

TEST_F(AtomicFileTest, PermissionsAreRespected) {
  if (geteuid() == 0) GTEST_SKIP() << "root may write everywhere";
  chmod(path_.c_str(), 0444);
  EXPECT_CAFFE_ERROR(AtomicFile{path_}, "Permission denied");
  chmod(path_.c_str(), 0644);
  chmod(folder_.c_str(), 0555);
  EXPECT_CAFFE_ERROR(AtomicFile{path_}, "Permission denied");
  chmod(folder_.c_str(), 0755);
  ExpectUntouched();
}

TEST_F(AtomicFileTest, LinksAreFollowedAndPermissionsKept) {
  chmod(path_.c_str(), 0640);
  const string link = folder_ + "/link";
  ASSERT_EQ(symlink("target", link.c_str()), 0);
  WriteFileAtomically(link, "new");
  EXPECT_EQ(Content(path_), "new");
  struct stat info{};
  ASSERT_EQ(lstat(link.c_str(), &info), 0);
  EXPECT_TRUE(S_ISLNK(info.st_mode));
  ASSERT_EQ(stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0640u);
}

TEST_F(AtomicFileTest, LongestName) {
  const string path = folder_ + "/" + string(255, 'n');
  WriteFileAtomically(path, "content");
  EXPECT_EQ(Content(path), "content");
}

}  // namespace
}  // namespace caffe
