#include <gtest/gtest.h>
#include <lmdb.h>
#include <sys/stat.h>
#include <unistd.h>

#include "caffe/data/records.hpp"
#include "caffe/test/test_caffe_main.hpp"
#include "data_test_util.hpp"

namespace caffe {

namespace {

std::unique_ptr<db::DB> OpenDatabase(const string& path, db::Mode mode,
                                     const string& backend = "lmdb") {
  std::unique_ptr<db::DB> database(db::GetDB(backend));
  database->Open(path, mode);
  return database;
}

}  // namespace

TEST(DbTest, WhatIsWrittenIsReadInTheOrderOfTheKeys) {
  const TempDir dir;
  {
    const auto database = OpenDatabase(dir / "db", db::NEW);
    const std::unique_ptr<db::Transaction> transaction(database->NewTransaction());
    transaction->Put("b", "2");
    transaction->Put("a", "1");
    transaction->Commit();
  }
  {
    const auto database = OpenDatabase(dir / "db", db::WRITE);
    const std::unique_ptr<db::Transaction> transaction(database->NewTransaction());
    transaction->Put("c", "");
    transaction->Commit();
  }
  const auto database = OpenDatabase(dir / "db", db::READ);
  const std::unique_ptr<db::Cursor> cursor(database->NewCursor());
  string all;
  for (; cursor->valid(); cursor->Next()) all += cursor->key() + cursor->value() + " ";
  EXPECT_EQ(all, "a1 b2 c ");
  EXPECT_CAFFE_ERROR(cursor->value(), "read beyond its last record");
  cursor->SeekToFirst();
  EXPECT_EQ(cursor->key(), "a");
}

TEST(DbTest, TheMapGrowsWithTheRecords) {
  const TempDir dir;
  const int count = 80;
  const auto database = OpenDatabase(dir / "db", db::NEW);
  const std::unique_ptr<db::Transaction> transaction(database->NewTransaction());
  // 80 MB, more than the map has at first.
  for (int i = 0; i < count; ++i) transaction->Put(RecordKey(i), string(1 << 20, 'x'));
  transaction->Commit();
  database->Close();
  EXPECT_EQ(LmdbReader(dir / "db").size(), static_cast<uint64_t>(count));
  // And what lies on the disk is little more than the records.
  EXPECT_LT(std::filesystem::file_size(dir / "db/data.mdb"), size_t{100} << 20U);
}

TEST(DbTest, ManyReadersOfOneDatabase) {
  const TempDir dir;
  WriteDatabase(dir / "db", {"a", "b"});
  vector<std::unique_ptr<LmdbReader>> readers;
  // LMDB's own limit is 126.
  for (int i = 0; i < 200; ++i) {
    readers.emplace_back(new LmdbReader(dir / "db"));
    ASSERT_TRUE(readers.back()->First());
  }
  for (const auto& reader : readers) ASSERT_TRUE(reader->Next());
}

TEST(DbTest, ReadsAFolderThatCannotBeWrittenTo) {
  const TempDir dir;
  WriteDatabase(dir / "db", {"a"});
  // Stands for a read-only folder, which would not stop a test that runs as root: the lock
  // file cannot be opened.
  std::filesystem::remove(dir / "db/lock.mdb");
  std::filesystem::create_directory(dir / "db/lock.mdb");
  LmdbReader reader(dir / "db");
  ASSERT_TRUE(reader.First());
  EXPECT_EQ(reader.value(), "a");
}

TEST(DbTest, ReadsADatabaseThatCaffeWrote) {
  const string path = CAFFE_TEST_DATA "/../../../shared/compat/golden/annotated_data/db";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no " << path;
  LmdbReader reader(path);
  EXPECT_EQ(reader.size(), 8u);
  int records = 0;
  for (bool found = reader.First(); found; found = reader.Next(), ++records) {
    AnnotatedDatum annotated;
    ASSERT_TRUE(annotated.ParseFromString(reader.value())) << reader.key();
    EXPECT_EQ(DatumToImage(annotated.datum(), ImageColor::kNative).channels(), 3);
  }
  EXPECT_EQ(records, 8);
}

TEST(DbTest, ReadsADatabaseThatIsAFile) {
  const TempDir dir;
  WriteDatabase(dir / "db", {"a"});
  EXPECT_EQ(LmdbReader(dir / "db/data.mdb").size(), 1u);
}

TEST(DbTest, ErrorsSayWhatIsThere) {
  const TempDir dir;
  EXPECT_CAFFE_ERROR(LmdbReader(dir / "none"),
                     "database " + (dir / "none") + ": cannot open: No such file");
  std::filesystem::create_directory(dir / "folder");
  EXPECT_CAFFE_ERROR(LmdbReader(dir / "folder"), "there is no data.mdb in the folder");
  WriteText(dir / "folder/CURRENT", "MANIFEST-000001\n");
  EXPECT_CAFFE_ERROR(LmdbReader(dir / "folder"), "this is a LevelDB");
  WriteText(dir / "file", string(20000, 'x'));
  EXPECT_CAFFE_ERROR(LmdbReader(dir / "file"), "not an LMDB");
  WriteText(dir / "empty", "");
  EXPECT_CAFFE_ERROR(LmdbReader(dir / "empty"), "not an LMDB");
  EXPECT_CAFFE_ERROR(db::GetDB("sqlite"), "unknown database backend \"sqlite\"");
  EXPECT_CAFFE_ERROR(LmdbReader(""), "source is empty");
}

TEST(DbTest, ATruncatedDatabaseIsNoticedAtOnce) {
  const TempDir dir;
  WriteDatabase(dir / "db", {string(100000, 'a'), string(100000, 'b')});
  std::filesystem::resize_file(dir / "db/data.mdb", 20480);
  EXPECT_CAFFE_ERROR(LmdbReader(dir / "db"), "truncated: expected");
  std::filesystem::resize_file(dir / "db/data.mdb", 100);
  EXPECT_CAFFE_ERROR(LmdbReader(dir / "db"), "not an LMDB");
}

TEST(DbTest, WritingIsRefusedWhereItWouldDoHarm) {
  const TempDir dir;
  WriteDatabase(dir / "db", {"a"});
  EXPECT_CAFFE_ERROR(OpenDatabase(dir / "db", db::NEW), "cannot make the folder: File exists");
  EXPECT_CAFFE_ERROR(OpenDatabase(dir / "none", db::WRITE), "cannot open");
  EXPECT_CAFFE_ERROR(OpenDatabase(dir / "level", db::NEW, "leveldb"), "cannot be written");
  EXPECT_FALSE(std::filesystem::exists(dir / "level"));
  const auto database = OpenDatabase(dir / "db", db::WRITE);
  const std::unique_ptr<db::Transaction> transaction(database->NewTransaction());
  transaction->Put(string(600, 'k'), "");
  EXPECT_CAFFE_ERROR(transaction->Commit(), "has 600 bytes; expected 1 to 511");
}

TEST(DbTest, AnLmdbIsReadThoughTheBackendSaysLevelDb) {
  const TempDir dir;
  WriteDatabase(dir / "db", {"a"});
  const auto database = OpenDatabase(dir / "db", db::READ, "leveldb");
  const std::unique_ptr<db::Cursor> cursor(database->NewCursor());
  EXPECT_EQ(cursor->value(), "a");
}

namespace {

vector<string> ReadKeys(const string& path, const RecordOrder& order, uint64_t position,
                        int count) {
  RecordStream stream(std::unique_ptr<RecordSource>(new LmdbSource(path, order.shuffle)), order);
  stream.Seek(position);
  vector<string> keys;
  for (int i = 0; i < count; ++i) {
    Record record;
    stream.Next(&record);
    keys.push_back(record.key + "@" + std::to_string(record.epoch));
  }
  return keys;
}

}  // namespace

class RecordStreamTest : public ::testing::Test {
 protected:
  RecordStreamTest() {
    WriteDatabase(dir_ / "db", {"a", "b", "c", "d", "e"});
    order_.size = 5;
    order_.seed = 3;
  }
  vector<string> Read(uint64_t position, int count) {
    return ReadKeys(dir_ / "db", order_, position, count);
  }
  TempDir dir_;
  RecordOrder order_;
};

TEST_F(RecordStreamTest, EpochsFollowEachOther) {
  EXPECT_EQ(Read(3, 4), vector<string>({"000003@0", "000004@0", "000000@1", "000001@1"}));
}

TEST_F(RecordStreamTest, SkippedRecordsAreLeftOutOnce) {
  order_.skip = 4;
  EXPECT_EQ(Read(0, 2), vector<string>({"000004@0", "000000@1"}));
}

TEST_F(RecordStreamTest, ShuffledEpochsHoldAllRecordsInOrdersOfTheirOwn) {
  order_.shuffle = true;
  vector<string> keys = Read(0, 15);
  std::set<vector<string>> orders;
  for (int epoch = 0; epoch < 3; ++epoch) {
    vector<string> order;
    for (int i = 0; i < 5; ++i) order.push_back(keys[epoch * 5 + i].substr(0, 6));
    orders.insert(order);
    std::sort(order.begin(), order.end());
    EXPECT_EQ(order, vector<string>({"000000", "000001", "000002", "000003", "000004"}));
  }
  EXPECT_GT(orders.size(), 1u);
  EXPECT_EQ(Read(7, 5), vector<string>(keys.begin() + 7, keys.begin() + 12));
}

TEST_F(RecordStreamTest, RanksShareTheRecordsAmongThem) {
  for (const bool shuffle : {false, true}) {
    order_.shuffle = shuffle;
    order_.rank = 0;
    order_.count = 1;
    const vector<string> all = Read(0, 12);
    order_.count = 3;
    for (order_.rank = 0; order_.rank < 3; ++order_.rank) {
      const vector<string> mine = Read(0, 4);
      for (int i = 0; i < 4; ++i) EXPECT_EQ(mine[i], all[order_.rank + 3 * i]);
    }
  }
}

TEST(RecordRandomTest, DependsOnEachOfSeedEpochAndRecord) {
  EXPECT_EQ(RecordRandom(1, 2, 3)(), RecordRandom(1, 2, 3)());
  std::set<uint32_t> first;
  for (uint64_t seed : {uint64_t{1}, uint64_t{1} << 40U}) {
    for (uint64_t epoch = 0; epoch < 3; ++epoch) {
      for (uint64_t index = 0; index < 3; ++index) first.insert(RecordRandom(seed, epoch, index)());
      first.insert(EpochRandom(seed, epoch)());
    }
  }
  EXPECT_EQ(first.size(), 24u);
}

}  // namespace caffe
