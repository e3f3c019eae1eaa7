// Checks a tiled transparency log and proofs from it with the packages behind Go's checksum
// database, which share nothing with this project.
//
// usage: check_log [-since CHECKPOINT] VKEY LOG [PROOF...]
//
// LOG holds `checkpoint` and `tile/`; CHECKPOINT is one seen earlier; each PROOF is a tlog-proof that
// carries its leaf. Prints a line a check, and exits with 1 when any fails.
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const tileHeight = 8
const tileWidth = 1 << tileHeight

func main() {
	since := flag.String("since", "", "a checkpoint of the log that was seen earlier")
	flag.Parse()
	if flag.NArg() < 2 {
		fmt.Fprintln(os.Stderr, "usage: check_log [-since CHECKPOINT] VKEY LOG [PROOF...]")
		os.Exit(2)
	}
	verifier, err := note.NewVerifier(flag.Arg(0))
	if err != nil {
		fmt.Fprintln(os.Stderr, "the verifier key:", err)
		os.Exit(2)
	}
	failed := false
	report := func(check string, err error) {
		if err != nil {
			failed = true
			fmt.Printf("FAIL %s: %v\n", check, err)
		} else {
			fmt.Printf("ok   %s\n", check)
		}
	}

	log := directory(flag.Arg(1))
	tree, err := log.checkpoint(verifier)
	report("checkpoint", err)
	if err != nil {
		os.Exit(1)
	}
	reader := tlog.TileHashReader(tree, log)
	leaves, err := log.leafHashes(tree, reader)
	report(fmt.Sprintf("hashes of %d leaves", tree.N), err)
	if err == nil {
		report(fmt.Sprintf("entries of %d leaves", tree.N), log.checkEntries(leaves))
	}
	if *since != "" {
		older, err := checkpointFile(*since, verifier)
		if err == nil {
			err = checkConsistency(older, tree, reader)
		}
		report(fmt.Sprintf("growth since %s", filepath.Base(*since)), err)
	}
	for _, file := range flag.Args()[2:] {
		report(fmt.Sprintf("proof %s", filepath.Base(file)), checkProof(file, verifier, tree, reader))
	}
	if failed {
		os.Exit(1)
	}
}

// checkConsistency checks that newer begins with the leaves of older.
func checkConsistency(older, newer tlog.Tree, reader tlog.HashReader) error {
	if older.N > newer.N {
		return fmt.Errorf("the log has %d leaves and had %d", newer.N, older.N)
	}
	proof, err := tlog.ProveTree(newer.N, older.N, reader)
	if err != nil {
		return err
	}
	return tlog.CheckTree(proof, newer.N, newer.Hash, older.N, older.Hash)
}

// checkProof checks a tlog-proof by itself, then that its checkpoint is of the log's own past.
func checkProof(file string, verifier note.Verifier, tree tlog.Tree, reader tlog.HashReader) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	head, signed, found := bytes.Cut(text, []byte("\n\n"))
	lines := strings.Split(string(head), "\n")
	if !found || len(lines) < 3 || lines[0] != "c2sp.org/tlog-proof@v1" {
		return errors.New("not a tlog-proof with its leaf")
	}
	extra, hasExtra := cutPrefix(lines[1], "extra ")
	index, hasIndex := cutPrefix(lines[2], "index ")
	leaf, err := base64.StdEncoding.DecodeString(extra)
	if !hasExtra || !hasIndex || err != nil {
		return errors.New("no leaf or no index")
	}
	position, err := decimal(index)
	if err != nil {
		return err
	}
	var path tlog.RecordProof
	for _, line := range lines[3:] {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return err
		}
		path = append(path, hash)
	}
	covering, err := openCheckpoint(signed, verifier)
	if err != nil {
		return err
	}
	leafHash := tlog.RecordHash(leaf)
	if err := tlog.CheckRecord(path, covering.N, covering.Hash, position, leafHash); err != nil {
		return err
	}
	return checkConsistency(covering, tree, reader)
}

// openCheckpoint reads a checkpoint that verifier signed.
func openCheckpoint(text []byte, verifier note.Verifier) (tlog.Tree, error) {
	signed, err := note.Open(text, note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(signed.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() {
		return tlog.Tree{}, fmt.Errorf("not a checkpoint of %s", verifier.Name())
	}
	size, err := decimal(lines[1])
	if err != nil {
		return tlog.Tree{}, err
	}
	root, err := tlog.ParseHash(lines[2])
	return tlog.Tree{N: size, Hash: root}, err
}

func checkpointFile(file string, verifier note.Verifier) (tlog.Tree, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return tlog.Tree{}, err
	}
	return openCheckpoint(text, verifier)
}

// directory is the path of a tiled log; it yields tiles to a TileHashReader, which checks them.
type directory string

func (log directory) checkpoint(verifier note.Verifier) (tlog.Tree, error) {
	return checkpointFile(filepath.Join(string(log), "checkpoint"), verifier)
}

func (log directory) Height() int { return tileHeight }

func (log directory) SaveTiles([]tlog.Tile, [][]byte) {}

func (log directory) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var data [][]byte
	for _, tile := range tiles {
		// The checksum database names the height too.
		path := strings.Replace(tile.Path(), fmt.Sprintf("tile/%d/", tileHeight), "tile/", 1)
		bytes, err := os.ReadFile(filepath.Join(string(log), path))
		if err != nil {
			return nil, err
		}
		data = append(data, bytes)
	}
	return data, nil
}

// leafHashes reads every leaf's hash from the tiles and builds the tree anew from them: Debian's
// TileHashReader skips some tiles when the log's right edge has several subtrees in one.
func (log directory) leafHashes(tree tlog.Tree, reader tlog.HashReader) ([]tlog.Hash, error) {
	if root, err := tlog.TreeHash(tree.N, reader); err != nil {
		return nil, err
	} else if root != tree.Hash {
		return nil, errors.New("the tiles have another root")
	}
	var indexes []int64
	for leaf := int64(0); leaf < tree.N; leaf++ {
		indexes = append(indexes, tlog.StoredHashIndex(0, leaf))
	}
	leaves, err := reader.ReadHashes(indexes)
	if err != nil {
		return nil, err
	}
	var stored []tlog.Hash
	rebuilt := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		var hashes []tlog.Hash
		for _, index := range indexes {
			hashes = append(hashes, stored[index])
		}
		return hashes, nil
	})
	for leaf, hash := range leaves {
		hashes, err := tlog.StoredHashesForRecordHash(int64(leaf), hash, rebuilt)
		if err != nil {
			return nil, err
		}
		stored = append(stored, hashes...)
	}
	if root, err := tlog.TreeHash(tree.N, rebuilt); err != nil {
		return nil, err
	} else if root != tree.Hash {
		return nil, errors.New("the leaves' hashes have another root")
	}
	return leaves, nil
}

// checkEntries compares every entry of the bundles with its hash.
func (log directory) checkEntries(hashes []tlog.Hash) error {
	for first := 0; first < len(hashes); first += tileWidth {
		width := len(hashes) - first
		if width > tileWidth {
			width = tileWidth
		}
		bundle := tlog.Tile{H: tileHeight, L: -1, N: int64(first / tileWidth), W: width}
		path := strings.Replace(
			bundle.Path(), fmt.Sprintf("tile/%d/data/", tileHeight), "tile/entries/", 1)
		data, err := os.ReadFile(filepath.Join(string(log), path))
		if err != nil {
			return err
		}
		for leaf := first; leaf < first+width; leaf++ {
			if len(data) < 2 || len(data)-2 < int(binary.BigEndian.Uint16(data)) {
				return fmt.Errorf("%s ends before leaf %d", path, leaf)
			}
			end := 2 + int(binary.BigEndian.Uint16(data))
			if tlog.RecordHash(data[2:end]) != hashes[leaf] {
				return fmt.Errorf("leaf %d in %s has another hash", leaf, path)
			}
			data = data[end:]
		}
		if len(data) > 0 {
			return fmt.Errorf("%s goes on after its leaves", path)
		}
	}
	return nil
}

// decimal reads a number without leading zeros.
func decimal(text string) (int64, error) {
	value, err := strconv.ParseInt(text, 10, 64)
	if err == nil && (value < 0 || strconv.FormatInt(value, 10) != text) {
		err = fmt.Errorf("%q is not a plain decimal", text)
	}
	return value, err
}

// cutPrefix is the standard library's of a newer Go.
func cutPrefix(text, prefix string) (string, bool) {
	return strings.TrimPrefix(text, prefix), strings.HasPrefix(text, prefix)
}
