create database if not exists waf;
