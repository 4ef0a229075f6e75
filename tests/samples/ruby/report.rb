# frozen_string_literal: true

require "csv"
require "time"

module Report
  Row = Struct.new(:day, :visits, keyword_init: true)

  class Monthly
    attr_reader :rows

    def initialize(path, since: Time.at(0))
      @rows = CSV.foreach(path, headers: true).filter_map do |line|
        day = Time.parse(line["day"])
        Row.new(day: day, visits: line["visits"].to_i) if day >= since
      end
    end

    def busiest(n = 3)
      rows.sort_by { |row| -row.visits }.first(n)
    end

    def to_s
      busiest.map { |row| "#{row.day.strftime('%d.%m.%Y')}\t#{row.visits}" }.join("\n")
    rescue ArgumentError => e
      warn "größer als erlaubt: #{e.message}"
      ""
    end
  end
end
