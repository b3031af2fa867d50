// Says what Go's regexp makes of a pattern and some texts.
//
// In: lines of tab-separated hexadecimal, the pattern first. Out, per line: "error", or for each text the positions of
// all matches and their groups, "a:b,c:d;…" (-1:-1 for a group that took no part), texts separated by tabs.
package main

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"os"
	"regexp"
	"strings"
)

func main() {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriter(os.Stdout)
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		fmt.Fprintln(out, answer(strings.Split(strings.TrimRight(line, "\n"), "\t")))
		out.Flush()
	}
}

func answer(fields []string) string {
	pattern, err := regexp.Compile(decoded(fields[0]))
	if err != nil {
		return "error"
	}
	var texts []string
	for _, field := range fields[1:] {
		var matches []string
		for _, at := range pattern.FindAllStringSubmatchIndex(decoded(field), -1) {
			var groups []string
			for i := 0; i < len(at); i += 2 {
				groups = append(groups, fmt.Sprintf("%d:%d", at[i], at[i+1]))
			}
			matches = append(matches, strings.Join(groups, ","))
		}
		texts = append(texts, strings.Join(matches, ";"))
	}
	return strings.Join(texts, "\t")
}

func decoded(field string) string {
	text, err := hex.DecodeString(field)
	if err != nil {
		panic(err)
	}
	return string(text)
}
